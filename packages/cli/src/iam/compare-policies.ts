import type { Fact, Facts } from "./condition.js";
import { ALIAS_NAME, instancesOf } from "./instances.js";
import { applies, isVariable, type Judgement, judge, speaksOfAction } from "./judge.js";
import { type KmsResourceKind, kmsActions } from "./kms-actions.js";
import type { KmsPlace } from "./kms-place.js";
import { coversArn, matchesText, meetsArn, segments } from "./pattern.js";
import type { PolicyStatement } from "./policy-statement.js";

/** What is known of the keys that the two policies are about. */
export interface Deployment {
  readonly place: KmsPlace;
  /** Keys whose ARN is known; `alias` is how the broker asks for it, absent when it asks by ARN or id. */
  readonly keys: readonly { readonly name: string; readonly arn: string; readonly alias?: string }[];
  /** The aliases of all catalog keys. */
  readonly aliases: readonly string[];
}

/** Actions on one resource in which two policies differ. */
export interface GrantDifference {
  /** The catalog's name, where it is a key of the catalog. */
  readonly key?: string;
  /** An ARN, a pattern as a document has it, or `*`. */
  readonly resource: string;
  readonly actions: readonly string[];
  /** Of a pattern: one resource that it is true of. */
  readonly example?: string;
  /** It is true of requests that name this alias. */
  readonly alias?: string;
  /** Of what cannot be judged: what it depends on. */
  readonly because?: readonly string[];
}

export interface PolicyDifference {
  /** Nothing lacks, nothing is in excess, and all could be judged. */
  readonly equal: boolean;
  readonly lacking: readonly GrantDifference[];
  readonly excess: readonly GrantDifference[];
  readonly unjudged: readonly GrantDifference[];
  /** What the deployed document says besides. */
  readonly remarks: readonly string[];
}

type Side = "lacking" | "excess" | "unjudged";
interface Found extends Omit<GrantDifference, "actions"> {
  readonly action: string;
}
interface Asked {
  readonly action: string;
  readonly kind: KmsResourceKind;
  readonly resource: string;
  readonly alias?: string | undefined;
}

/**
 * What `deployed` grants too much or too little beside `wanted`. Each difference is one of a request that could be made,
 * so that it is true of AWS, too; where a condition decides of which only AWS knows the value, it is listed as unjudged.
 */
export function comparePolicies(
  wanted: readonly PolicyStatement[],
  deployed: readonly PolicyStatement[],
  deployment: Deployment,
): PolicyDifference {
  const rows: Record<Side, Map<string, { row: Omit<Found, "action">; actions: string[] }>> = {
    lacking: new Map(),
    excess: new Map(),
    unjudged: new Map(),
  };
  const add = (side: Side, { action, ...row }: Found): void => {
    const name = JSON.stringify(row);
    const group = rows[side].get(name) ?? { row, actions: [] };
    if (!group.actions.includes(action)) group.actions.push(action);
    rows[side].set(name, group);
  };
  catalogKeys(wanted, deployed, deployment, add);
  wantedElsewhere(wanted, deployed, deployment, add);
  grantedElsewhere(wanted, deployed, deployment, add);
  for (const { place, Effect, Action = [], Resource = ["*"] } of deployed) {
    const unknown = Action.filter((name) => /^kms:[a-z0-9]+$/i.test(name) && !isKnown(name));
    const because = [`${place}: no action of KMS that this program knows`];
    if (Effect === "Allow")
      for (const action of unknown) add("unjudged", { action, resource: Resource.join(), because });
  }
  const listed = (side: Side): GrantDifference[] =>
    [...rows[side].values()].map(({ row, actions }) => ({ ...row, actions }));
  const [lacking, excess, unjudged] = [listed("lacking"), listed("excess"), listed("unjudged")];
  const equal = lacking.length + excess.length + unjudged.length === 0;
  return { equal, lacking, excess, unjudged, remarks: remarksOn(deployed) };
}

type Add = (side: Side, found: Found) => void;
type Policies = readonly PolicyStatement[];

/** Keys of the catalog, each as the broker asks for it; too much is what any request may do. */
function catalogKeys(wanted: Policies, deployed: Policies, deployment: Deployment, add: Add): void {
  for (const { name, arn, alias } of deployment.keys) {
    for (const { action, on, takesAlias } of kmsActions) {
      if (!on.includes("key")) continue;
      const named = takesAlias ? alias : undefined;
      const asked = { action, kind: "key", resource: arn } as const;
      const forms = named === undefined ? [asked] : [{ ...asked, alias: named }, asked];
      const of = { key: name, resource: arn, action };
      const [usual = asked] = forms;
      const isWanted = (form: Asked): boolean => ask(wanted, form, deployment).verdict === "allowed";
      if (isWanted(usual)) {
        const found = ask(deployed, usual, deployment);
        const reached = named === undefined ? of : { ...of, alias: named };
        if (found.verdict === "denied") add("lacking", reached);
        if (found.verdict === "unknown") add("unjudged", { ...of, because: found.because });
      } else if (!forms.some(isWanted)) tooMuch(deployed, [...forms].reverse(), deployment, of, add);
    }
  }
}

/** What is wanted on resources that have no ARN yet, or are not in the catalog. */
function wantedElsewhere(wanted: Policies, deployed: Policies, deployment: Deployment, add: Add): void {
  const known = new Set(deployment.keys.map(({ arn }) => arn));
  for (const { statement, pattern, asked } of reachOf(
    wanted,
    deployment,
    (arn) => !known.has(arn),
    deployment.aliases,
  )) {
    const requests = asked.filter((one) => ask(wanted, one, deployment).verdict === "allowed");
    const [first] = requests;
    if (first === undefined) continue;
    const { action } = first;
    const verdicts = requests.map((one) => ({ one, found: ask(deployed, one, deployment) }));
    const denied = verdicts.find(({ found }) => found.verdict === "denied");
    const unknown = verdicts.flatMap(({ found }) => (found.verdict === "unknown" ? [found.because] : []))[0];
    if (denied !== undefined) add("lacking", { action, resource: pattern, ...exampleOf(denied.one, pattern) });
    else if (unknown !== undefined) add("unjudged", { action, resource: pattern, because: unknown });
    else if (/[*?]/.test(pattern) && pattern !== "*" && !coversAll(deployed, pattern, requests, deployment)) {
      const because = [`${statement.place}: some are allowed, and whether all are cannot be told`];
      add("unjudged", { action, resource: pattern, because });
    }
  }
}

/** What the deployed statements reach beside the keys of the catalog. */
function grantedElsewhere(wanted: Policies, deployed: Policies, deployment: Deployment, add: Add): void {
  const known = new Set(deployment.keys.map(({ arn }) => arn));
  for (const { pattern, label, asked } of reachOf(deployed, deployment, (arn) => !known.has(arn))) {
    const unwanted = asked.filter((one) => ask(wanted, one, deployment).verdict !== "allowed");
    const [first] = unwanted;
    if (first !== undefined)
      tooMuch(deployed, unwanted, deployment, { action: first.action, resource: label }, add, pattern);
  }
}

/** Adds the first of these requests that is allowed; else what the first that may be depends on. */
function tooMuch(
  deployed: Policies,
  requests: readonly Asked[],
  deployment: Deployment,
  of: Found,
  add: Add,
  pattern?: string,
) {
  let unknown: readonly string[] | undefined;
  for (const one of requests) {
    const direct = ask(deployed, one, deployment);
    if (direct.verdict === "allowed") {
      const example =
        pattern === undefined ? (one.alias === undefined ? {} : { alias: one.alias }) : exampleOf(one, pattern);
      return add("excess", { ...of, ...example });
    }
    const judged = direct.verdict === "unknown" ? direct : ask(deployed, one, deployment, "through a service, too");
    if (judged.verdict === "unknown") unknown ??= judged.because;
  }
  if (unknown !== undefined) add("unjudged", { ...of, because: unknown });
}

function exampleOf({ resource, alias }: Asked, pattern: string): { example?: string; alias?: string } {
  return { ...(resource !== pattern && { example: resource }), ...(alias !== undefined && { alias }) };
}

interface Reach {
  readonly statement: PolicyStatement;
  readonly pattern: string;
  /** How the document says it. */
  readonly label: string;
  /** Requests for one action. */
  readonly asked: readonly Asked[];
}

/** Requests that the Allow statements may speak of, by statement, pattern and action. */
function reachOf(
  policies: Policies,
  { place, aliases }: Deployment,
  counts: (arn: string) => boolean,
  /** The aliases that requests name; else those of the statement's own condition that lead to no key of the catalog. */
  forms?: readonly string[],
): Reach[] {
  return policies.flatMap((statement) => {
    if (statement.Effect !== "Allow") return [];
    const named = forms ?? aliasesNamed(statement).filter((alias) => !aliases.includes(alias));
    return (statement.Resource ?? ["*"]).flatMap((pattern) =>
      kmsActions.flatMap(({ action, on, takesAlias }) => {
        if (!speaksOfAction(statement, action)) return [];
        const asked = on.flatMap((kind) => {
          const forms = takesAlias ? [undefined, ...named] : [undefined];
          const arns = instancesOf(pattern.replaceAll(/\$\{[^}]*\}/g, "*"), kind, place, aliases).filter(counts);
          return arns.flatMap((resource) => forms.map((alias) => ({ action, kind, resource, alias })));
        });
        const label = statement.Resource === undefined ? `all but ${statement.NotResource?.join(", ")}` : pattern;
        return asked.length === 0 ? [] : [{ statement, pattern, label, asked }];
      }),
    );
  });
}

/** One alias for each pattern of `kms:RequestAlias` in a statement. */
function aliasesNamed({ Condition = {} }: PolicyStatement): string[] {
  const keys = Object.values(Condition).flatMap((one) => Object.entries(one));
  const patterns = keys.flatMap(([key, values]) => (key.toLowerCase() === "kms:requestalias" ? values : []));
  const named = patterns.map((pattern) => pattern.replaceAll("*", "example").replaceAll("?", "x"));
  return patterns.length === 0 ? [] : [...named.filter((name) => ALIAS_NAME.test(name)), "alias/example"];
}

/** Whether one statement certainly allows all that a pattern matches, and none may deny a part of it. */
function coversAll(deployed: Policies, pattern: string, requests: readonly Asked[], deployment: Deployment): boolean {
  return requests.every((one) => {
    const speaking = deployed.filter((statement) => speaksOfAction(statement, one.action));
    const everywhere = ({ NotResource: _, ...statement }: PolicyStatement) =>
      applies({ ...statement, Resource: ["*"] }, { ...one, facts: factsOf(one, deployment) }).truth;
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

function ask(policies: Policies, asked: Asked, deployment: Deployment, also?: "through a service, too"): Judgement {
  return judge(policies, { ...asked, facts: factsOf(asked, deployment, also !== undefined) });
}

const VIA = ["kms:viaservice", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:viaawsservice"];

function factsOf({ kind, resource, alias }: Asked, { place, keys }: Deployment, open = false): Facts {
  const facts = new Map<string, Fact>([["aws:securetransport", { values: ["true"] }]]);
  for (const name of open ? [] : VIA) facts.set(name, "absent");
  if (!open) facts.set("aws:viaawsservice", { values: ["false"] });
  const region = resource === "*" ? place.region : (segments(resource)[3] ?? "");
  facts.set("aws:requestedregion", { values: [region] });
  // Beside an alias, conditions of KMS have no defined meaning.
  if (kind === "alias") return facts;
  facts.set("kms:requestalias", alias === undefined ? "absent" : { values: [alias] });
  if (kind === "none") return facts;
  facts.set("kms:multiregion", { values: [String(resource.includes(":key/mrk-"))] });
  const own = alias ?? keys.find(({ arn }) => arn === resource)?.alias;
  facts.set("kms:resourcealiases", { values: own === undefined ? [] : [own], open: true });
  return facts;
}

function isKnown(name: string): boolean {
  return kmsActions.some(({ action }) => action.toLowerCase() === name.toLowerCase());
}

function remarksOn(deployed: Policies): string[] {
  return deployed.flatMap(({ place, Effect, Action, NotAction, Resource = [] }) => {
    if (Effect !== "Allow") return [];
    const others = (Action ?? []).filter((name) => !name.toLowerCase().startsWith("kms:"));
    const remarks: string[] = [];
    if (others.length > 0) remarks.push(`${place} also allows ${others.join(", ")}: other services are not compared`);
    if (NotAction !== undefined) remarks.push(`${place} allows by NotAction, which reaches other services, too`);
    const byAlias = Resource.filter((pattern) => matchesText("alias/*", segments(pattern)[5] ?? ""));
    const onKeys = kmsActions.some(({ action, on }) => !on.includes("alias") && (Action ?? []).includes(action));
    if (byAlias.length > 0 && onKeys) {
      remarks.push(
        `${place} names ${byAlias.join(", ")}: an operation on a key is decided by the key's ARN, never by an alias'`,
      );
    }
    return remarks;
  });
}
