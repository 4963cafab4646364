import { type ConditionContext, conditionHolds } from "./condition.js";
import { isKnownConditionKey } from "./condition-keys.js";
import type { PolicyDocument, Statement } from "./policy-document.js";
import { expandVariables } from "./variable.js";
import { matchesArn, matchesWildcard } from "./wildcard.js";

/** One action on one resource, with the condition keys of the request, made only when a statement asks for them. */
export interface AccessRequest {
  readonly action: string;
  /** An ARN, or `*` for actions that have no resource. */
  readonly resource: string;
  readonly context: () => ConditionContext;
  /** Called with each condition key that a statement tests and this engine does not know; it counts as absent. */
  readonly unknownKey?: (name: string) => void;
}

export type Effect = "Allow" | "Deny" | undefined;

function actionMatches(statement: Statement, action: string): boolean {
  const matches = (pattern: string) => matchesWildcard(pattern, action, true);
  if (statement.actions !== undefined) return statement.actions.some(matches);
  return statement.notActions !== undefined && !statement.notActions.some(matches);
}

function resourceMatches(statement: Statement, request: AccessRequest, variables: boolean): boolean {
  const matches = (pattern: string) => {
    if (pattern === "*") return true;
    const expanded = variables ? expandVariables(pattern, request.context, "pattern") : pattern;
    return expanded !== undefined && matchesArn(expanded, request.resource);
  };
  if (statement.resources !== undefined) return statement.resources.some(matches);
  return statement.notResources !== undefined && !statement.notResources.some(matches);
}

function conditionsHold(statement: Statement, request: AccessRequest, variables: boolean): boolean {
  for (const { key, name } of statement.conditions) if (!isKnownConditionKey(key)) request.unknownKey?.(name);
  return statement.conditions.every((condition) =>
    conditionHolds(condition, request.context(), (value, use) =>
      variables ? expandVariables(value, request.context, use) : value,
    ),
  );
}

/** Deny beats Allow; undefined when no statement speaks. */
function combine(effects: Iterable<Effect>): Effect {
  let allowed = false;
  for (const effect of effects) {
    if (effect === "Deny") return "Deny";
    if (effect === "Allow") allowed = true;
  }
  return allowed ? "Allow" : undefined;
}

/** What identity policies say together. */
export function evaluateIdentityPolicies(policies: Iterable<PolicyDocument>, request: AccessRequest): Effect {
  const effects: Effect[] = [];
  for (const policy of policies) {
    const variables = policy.version === "2012-10-17";
    for (const statement of policy.statements) {
      const applies =
        actionMatches(statement, request.action) &&
        resourceMatches(statement, request, variables) &&
        conditionsHold(statement, request, variables);
      if (applies) effects.push(statement.effect);
    }
  }
  return combine(effects);
}

/**
 * How a statement of a resource policy names the caller: its role session alone, its user or role (or everyone), or only
 * its account.
 */
export type PrincipalMatch = "session" | "direct" | "account" | undefined;

export interface ResourcePolicyResult {
  readonly effect: Effect;
  /** True when a statement that allows names the role session itself. */
  readonly allowsSession: boolean;
  /** True when the policy allows the caller's account, and so leaves the decision to its identity policies. */
  readonly delegates: boolean;
}

/**
 * What a key policy or a trust policy says. `Resource` in a key policy always means "this key"; a statement without it
 * has no effect there, and a trust policy has none at all.
 *
 * @param match - How a statement names the caller.
 */
export function evaluateResourcePolicy(
  policy: PolicyDocument,
  kind: "key" | "trust",
  request: AccessRequest,
  match: (statement: Statement) => PrincipalMatch,
): ResourcePolicyResult {
  const variables = policy.version === "2012-10-17";
  const effects: Effect[] = [];
  let allowsSession = false;
  let delegates = false;
  for (const statement of policy.statements) {
    const how = match(statement);
    if (how === undefined) continue;
    const applies =
      actionMatches(statement, request.action) &&
      (kind === "trust" || resourceMatches(statement, request, variables)) &&
      conditionsHold(statement, request, variables);
    if (!applies) continue;
    if (statement.effect === "Allow" && how === "session") allowsSession = true;
    if (statement.effect === "Allow" && how === "account") delegates = true;
    else effects.push(statement.effect);
  }
  return { effect: combine(effects), allowsSession, delegates };
}
