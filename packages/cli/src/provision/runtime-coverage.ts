import type { PolicyStatement } from "./iam-statements.js";

/** A KMS call as a policy sees it. */
export interface KeyUse {
  readonly action: string;
  readonly arn: string;
  /** The aliases of the key; the first is the one that requests name. */
  readonly aliases: readonly string[];
}

/**
 * The actions of `actions` that the policy lets its identity do with the key in use and not yet with the new one; all of
 * them when it says nothing of the key in use. Empty: the alias can move and nobody is refused.
 *
 * Only what can be told from the document counts: an Allow with any condition but one on the alias does not, a Deny that
 * might apply does.
 */
export function notCovered(
  statements: readonly PolicyStatement[],
  actions: readonly string[],
  now: Omit<KeyUse, "action">,
  next: Omit<KeyUse, "action">,
): string[] {
  const granted = actions.filter((action) => allows(statements, { ...now, action }));
  if (granted.length === 0) return [...actions];
  return granted.filter((action) => !allows(statements, { ...next, action }));
}

export function allows(statements: readonly PolicyStatement[], use: KeyUse): boolean {
  if (statements.some((statement) => statement.Effect === "Deny" && mayApply(statement, use))) return false;
  return statements.some((statement) => statement.Effect === "Allow" && certainlyApplies(statement, use));
}

function mayApply({ Action, Resource, NotAction, NotResource }: PolicyStatement, use: KeyUse): boolean {
  const named = Action === undefined ? !matchesAction(NotAction, use) : matchesAction(Action, use);
  return named && (Resource === undefined ? !matchesArn(NotResource, use) : matchesArn(Resource, use));
}

function certainlyApplies(statement: PolicyStatement, use: KeyUse): boolean {
  if (!mayApply(statement, use)) return false;
  return Object.entries(statement.Condition ?? {}).every(([operator, keys]) => {
    const like = OPERATORS.get(operator.toLowerCase());
    return like !== undefined && Object.entries(keys).every(([key, values]) => holds(key, values, like, use));
  });
}

type Matcher = (pattern: string, value: string) => boolean;

const OPERATORS: ReadonlyMap<string, Matcher> = new Map<string, Matcher>(
  ["", "foranyvalue:"].flatMap((set) => [
    [`${set}stringlike`, (pattern: string, value: string) => wildcard(pattern, "").test(value)] as const,
    [`${set}stringequals`, (pattern: string, value: string) => pattern === value] as const,
  ]),
);

function holds(key: string, values: readonly string[], matches: Matcher, { aliases }: KeyUse): boolean {
  const [requested = ""] = aliases;
  const present: Readonly<Record<string, readonly string[]>> = {
    "kms:requestalias": [requested],
    "kms:resourcealiases": aliases,
  };
  const found = present[key.toLowerCase()] ?? [];
  return found.some((value) => values.some((pattern) => matches(pattern, value)));
}

/** IAM compares actions without regard to case, and everything else with it. */
function matchesAction(patterns: readonly string[] = [], { action }: KeyUse): boolean {
  return patterns.some((pattern) => wildcard(pattern, "i").test(action));
}

function matchesArn(patterns: readonly string[] = [], { arn }: KeyUse): boolean {
  return patterns.some((pattern) => wildcard(pattern, "").test(arn));
}

/** `*` is any text and `?` any one character. */
function wildcard(pattern: string, flags: "" | "i"): RegExp {
  const source = pattern.replace(/[\\^$.*+?()[\]{}|]/g, (character) =>
    character === "*" ? ".*" : character === "?" ? "." : `\\${character}`,
  );
  return new RegExp(`^${source}$`, `s${flags}`);
}
