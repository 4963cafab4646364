import { conditionHolds, type Facts, type Truth } from "./condition.js";
import { matchesAction, matchesArn } from "./pattern.js";
import type { PolicyStatement } from "./policy-statement.js";

/** One action on one resource, as far as it is known. */
export interface AccessRequest {
  readonly action: string;
  /** An ARN, or `*` for an action that has no resource. */
  readonly resource: string;
  readonly facts: Facts;
}

export type Judgement =
  | { readonly verdict: "allowed" | "denied" }
  /** What it depends on, for people. */
  | { readonly verdict: "unknown"; readonly because: readonly string[] };

/**
 * What these identity policies say of a request, all together: Deny beats Allow, and nothing is denied. `unknown` when a
 * condition or a variable decides of which only AWS knows the value; nothing is guessed.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function judge(statements: readonly PolicyStatement[], request: AccessRequest): Judgement {
  const because: string[] = [];
  const found = { Allow: false as Truth, Deny: false as Truth };
  for (const statement of statements) {
    const applied = applies(statement, request);
    if (applied.truth === true) found[statement.Effect] = true;
    if (applied.truth !== undefined) continue;
    found[statement.Effect] = found[statement.Effect] === true ? true : undefined;
    because.push(...applied.because.map((why) => `${statement.place}: ${why}`));
  }
  if (found.Deny === true || found.Allow === false) return { verdict: "denied" };
  return found.Allow === true && found.Deny === false ? { verdict: "allowed" } : { verdict: "unknown", because };
}

/** Whether a statement speaks of a request, and on what it depends when that cannot be told. */
export function applies(
  statement: PolicyStatement,
  request: AccessRequest,
): { readonly truth: Truth; readonly because: readonly string[] } {
  if (!speaksOfAction(statement, request.action)) return { truth: false, because: [] };
  const because: string[] = [];
  const reached = speaksOfResource(statement, request.resource);
  if (reached === false) return { truth: false, because };
  if (reached === undefined) because.push("a variable in its resources");
  for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
    for (const [key, values] of Object.entries(keys)) {
      const variable = statement.variables === true && values.some(isVariable);
      const holds = variable ? undefined : conditionHolds(operator, key, values, request.facts);
      if (holds === false) return { truth: false, because: [] };
      if (holds === undefined) because.push(`${operator} ${key}`);
    }
  }
  return { truth: because.length > 0 ? undefined : true, because };
}

export function speaksOfAction({ Action, NotAction = [] }: PolicyStatement, action: string): boolean {
  const named = (Action ?? NotAction).some((pattern) => matchesAction(pattern, action));
  return Action === undefined ? !named : named;
}

function speaksOfResource({ Resource, NotResource = [], variables }: PolicyStatement, resource: string): Truth {
  const patterns = Resource ?? NotResource;
  const plain = patterns.filter((pattern) => variables !== true || !isVariable(pattern));
  const named =
    plain.some((pattern) => matchesArn(pattern, resource)) || (plain.length < patterns.length ? undefined : false);
  if (named === undefined) return undefined;
  return Resource === undefined ? !named : named;
}

export function isVariable(text: string): boolean {
  return text.includes("${");
}
