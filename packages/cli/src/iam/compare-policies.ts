import { type Asked, AskedPolicy, type Deployment } from "./asked-policy.js";
import { kmsActions } from "./kms-actions.js";
import { remarksOn, unknownActions } from "./policy-remarks.js";
import type { PolicyStatement } from "./policy-statement.js";
import { reachOf } from "./reach.js";

/** Actions on one resource in which two policies differ. */
export interface GrantDifference {
  /** The catalog's name, where it is a key of the catalog. */
  readonly key?: string;
  /** Of a version of that key which is not in use. */
  readonly version?: number;
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
type Add = (side: Side, found: Found) => void;

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
  const add: Add = (side, { action, ...row }) => {
    const name = JSON.stringify(row);
    const group = rows[side].get(name) ?? { row, actions: [] };
    if (!group.actions.includes(action)) group.actions.push(action);
    rows[side].set(name, group);
  };
  const [should, does] = [new AskedPolicy(wanted, deployment), new AskedPolicy(deployed, deployment)];
  catalogKeys(should, does, deployment, add);
  wantedElsewhere(should, does, deployment, add);
  grantedElsewhere(should, does, deployment, add);
  for (const { action, statement } of unknownActions(deployed)) {
    const because = [`${statement.place}: no action of KMS that this program knows`];
    add("unjudged", { action, resource: (statement.Resource ?? ["*"]).join(), because });
  }
  const listed = (side: Side): GrantDifference[] =>
    [...rows[side].values()].map(({ row, actions }) => ({ ...row, actions }));
  const [lacking, excess, unjudged] = [listed("lacking"), listed("excess"), listed("unjudged")];
  const equal = lacking.length + excess.length + unjudged.length === 0;
  return { equal, lacking, excess, unjudged, remarks: remarksOn(deployed) };
}

/** Keys of the catalog, each as the broker asks for it; too much is what any request may do. */
function catalogKeys(wanted: AskedPolicy, deployed: AskedPolicy, { keys }: Deployment, add: Add): void {
  for (const { name, arn, alias, version } of keys) {
    for (const { action, on, takesAlias } of kmsActions) {
      if (!on.includes("key")) continue;
      const named = takesAlias ? alias : undefined;
      const asked: Asked = { action, kind: "key", resource: arn };
      const forms = named === undefined ? [asked] : [{ ...asked, alias: named }, asked];
      const of = { key: name, ...(version !== undefined && { version }), resource: arn, action };
      const [usual = asked] = forms;
      if (wanted.allows(usual)) {
        const found = deployed.ask(usual);
        if (found.verdict === "denied") add("lacking", named === undefined ? of : { ...of, alias: named });
        if (found.verdict === "unknown") add("unjudged", { ...of, because: found.because });
      } else if (!forms.some((form) => wanted.allows(form))) {
        tooMuch(deployed, forms.toReversed(), of, add, ({ alias: by }) => (by === undefined ? {} : { alias: by }));
      }
    }
  }
}

/** What is wanted on resources that have no ARN yet, or are not in the catalog. */
function wantedElsewhere(wanted: AskedPolicy, deployed: AskedPolicy, deployment: Deployment, add: Add): void {
  for (const { statement, pattern, asked } of reachOf(wanted.statements, deployment, deployment.aliases)) {
    const requests = asked.filter((one) => wanted.allows(one));
    const of = { action: asked[0].action, resource: pattern };
    const verdicts = requests.map((one) => ({ one, found: deployed.ask(one) }));
    const denied = verdicts.find(({ found }) => found.verdict === "denied");
    const unknown = verdicts.flatMap(({ found }) => (found.verdict === "unknown" ? [found.because] : []))[0];
    if (denied !== undefined) add("lacking", { ...of, ...exampleOf(denied.one, pattern) });
    else if (unknown !== undefined) add("unjudged", { ...of, because: unknown });
    else if (/[*?]/.test(pattern) && pattern !== "*" && !deployed.coversAll(pattern, requests)) {
      const because = [`${statement.place}: some are allowed, and whether all are cannot be told`];
      add("unjudged", { ...of, because });
    }
  }
}

/** What the deployed statements reach beside the keys of the catalog. */
function grantedElsewhere(wanted: AskedPolicy, deployed: AskedPolicy, deployment: Deployment, add: Add): void {
  for (const { pattern, label, asked } of reachOf(deployed.statements, deployment)) {
    const unwanted = asked.filter((one) => !wanted.allows(one));
    const of = { action: asked[0].action, resource: label };
    tooMuch(deployed, unwanted, of, add, (one) => exampleOf(one, pattern));
  }
}

/** Adds the first of these requests that is allowed; else what the first that may be depends on. */
function tooMuch(
  deployed: AskedPolicy,
  requests: readonly Asked[],
  of: Found,
  add: Add,
  more: (one: Asked) => Partial<Found>,
): void {
  let unknown: readonly string[] | undefined;
  for (const one of requests) {
    const direct = deployed.ask(one);
    if (direct.verdict === "allowed") {
      add("excess", { ...of, ...more(one) });
      return;
    }
    if (unknown !== undefined) continue;
    const judged = direct.verdict === "unknown" ? direct : deployed.ask(one, "through a service, too");
    if (judged.verdict === "unknown") unknown = judged.because;
  }
  if (unknown !== undefined) add("unjudged", { ...of, because: unknown });
}

function exampleOf({ resource, alias }: Asked, pattern: string): { example?: string; alias?: string } {
  return { ...(resource !== pattern && { example: resource }), ...(alias !== undefined && { alias }) };
}
