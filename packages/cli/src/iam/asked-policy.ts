import type { Fact, Facts } from "./condition.js";
import { applies, isVariable, type Judgement, judge, speaksOfAction } from "./judge.js";
import type { KmsResourceKind } from "./kms-actions.js";
import type { KmsPlace } from "./kms-place.js";
import { coversArn, meetsArn, segments } from "./pattern.js";
import type { PolicyStatement } from "./policy-statement.js";

/** What is known of the keys that policies are about. */
export interface Deployment {
  readonly place: KmsPlace;
  /** Keys whose ARN is known. */
  readonly keys: readonly DeployedKey[];
  /** The aliases of all catalog keys. */
  readonly aliases: readonly string[];
}

export interface DeployedKey {
  readonly name: string;
  readonly arn: string;
  /** How the broker asks for it; absent when it asks by ARN or id. */
  readonly alias?: string;
  /** Of a version that is not in use. */
  readonly version?: number;
}

/** A request to KMS, as a policy is asked about it. */
export interface Asked {
  readonly action: string;
  readonly kind: KmsResourceKind;
  readonly resource: string;
  readonly alias?: string | undefined;
}

const VIA = ["kms:viaservice", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast"];

/** The policies of one identity, together, for many questions. */
export class AskedPolicy {
  readonly statements: readonly PolicyStatement[];
  readonly #place: KmsPlace;
  readonly #aliasOf: ReadonlyMap<string, string | undefined>;
  readonly #byAction = new Map<string, readonly PolicyStatement[]>();

  constructor(statements: readonly PolicyStatement[], { place, keys }: Deployment) {
    this.statements = statements;
    this.#place = place;
    this.#aliasOf = new Map(keys.map(({ arn, alias }) => [arn, alias]));
  }

  /** About a call that is made as Basil makes it: directly; or also about one that a service of AWS forwards. */
  ask(asked: Asked, also?: "through a service, too"): Judgement {
    return judge(this.#speakingOf(asked.action), { ...asked, facts: this.#factsOf(asked, also !== undefined) });
  }

  allows(asked: Asked): boolean {
    return this.ask(asked).verdict === "allowed";
  }

  /** Whether one statement certainly allows these requests on all that a pattern matches, and none may deny a part of it. */
  coversAll(pattern: string, requests: readonly Asked[]): boolean {
    return requests.every((one) => {
      const speaking = this.#speakingOf(one.action);
      const everywhere = ({ NotResource: _, ...statement }: PolicyStatement) =>
        applies({ ...statement, Resource: ["*"] }, { ...one, facts: this.#factsOf(one, false) }).truth;
      const covers = (statement: PolicyStatement) =>
        statement.Effect === "Allow" &&
        (statement.Resource ?? []).some((wide) => coversArn(wide, pattern)) &&
        everywhere(statement) === true;
      const mayDeny = (statement: PolicyStatement) =>
        statement.Effect === "Deny" &&
        (statement.Resource ?? ["*"]).some((other) => isVariable(other) || meetsArn(other, pattern)) &&
        everywhere(statement) !== false;
      return speaking.some(covers) && !speaking.some(mayDeny);
    });
  }

  #speakingOf(action: string): readonly PolicyStatement[] {
    const known = this.#byAction.get(action);
    if (known !== undefined) return known;
    const speaking = this.statements.filter((statement) => speaksOfAction(statement, action));
    this.#byAction.set(action, speaking);
    return speaking;
  }

  #factsOf({ kind, resource, alias }: Asked, forwarded: boolean): Facts {
    const facts = new Map<string, Fact>([["aws:securetransport", { values: ["true"] }]]);
    for (const name of forwarded ? [] : VIA) facts.set(name, "absent");
    if (!forwarded) facts.set("aws:viaawsservice", { values: ["false"] });
    const region = resource === "*" ? this.#place.region : (segments(resource)[3] ?? "");
    facts.set("aws:requestedregion", { values: [region] });
    // Beside an alias, conditions of KMS have no defined meaning.
    if (kind === "alias") return facts;
    facts.set("kms:requestalias", alias === undefined ? "absent" : { values: [alias] });
    if (kind === "none") return facts;
    facts.set("kms:multiregion", { values: [String(resource.includes(":key/mrk-"))] });
    const own = alias ?? this.#aliasOf.get(resource);
    facts.set("kms:resourcealiases", { values: own === undefined ? [] : [own], open: true });
    return facts;
  }
}
