import { type ConditionContext, conditionHolds } from "./condition.js";
import type { PolicyDocument, PrincipalElement, Statement } from "./policy-document.js";
import { expandVariables } from "./variable.js";
import { matchesArn, matchesWildcard } from "./wildcard.js";

/** One action on one resource, with the condition keys of the request, made only when a statement asks for them. */
export interface AccessRequest {
  readonly action: string;
  /** An ARN, or `*` for actions that have no resource. */
  readonly resource: string;
  readonly context: () => ConditionContext;
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

/** How a principal element names the caller: as itself, or only through its account. */
export type PrincipalMatch = "direct" | "account" | undefined;

export interface ResourcePolicyResult {
  readonly effect: Effect;
  /** True when the policy allows the caller's account, and so leaves the decision to its identity policies. */
  readonly delegates: boolean;
}

/**
 * What a key policy or a trust policy says. `Resource` in a key policy always means "this key"; a statement without it
 * has no effect there, and a trust policy has none at all.
 *
 * @param match - Whether a principal element names the caller.
 */
export function evaluateResourcePolicy(
  policy: PolicyDocument,
  kind: "key" | "trust",
  request: AccessRequest,
  match: (principal: PrincipalElement) => PrincipalMatch,
): ResourcePolicyResult {
  const variables = policy.version === "2012-10-17";
  const effects: Effect[] = [];
  let delegates = false;
  for (const statement of policy.statements) {
    const how = principalMatches(statement, match);
    if (how === undefined) continue;
    const applies =
      actionMatches(statement, request.action) &&
      (kind === "trust" || resourceMatches(statement, request, variables)) &&
      conditionsHold(statement, request, variables);
    if (!applies) continue;
    if (statement.effect === "Allow" && how === "account") delegates = true;
    else effects.push(statement.effect);
  }
  return { effect: combine(effects), delegates };
}

function principalMatches(
  statement: Statement,
  match: (principal: PrincipalElement) => PrincipalMatch,
): PrincipalMatch {
  if (statement.principal !== undefined) return match(statement.principal);
  if (statement.notPrincipal !== undefined) return match(statement.notPrincipal) === undefined ? "direct" : undefined;
  return undefined;
}
