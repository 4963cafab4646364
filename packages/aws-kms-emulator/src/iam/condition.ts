import { type ComparisonName, comparisons, isComparison } from "./comparison.js";
import type { VariableUse } from "./variable.js";

/** Condition keys of one request: lower-case name → values. An absent key has no entry. */
export type ConditionContext = ReadonlyMap<string, readonly string[]>;

/** One `operator → key → values` of a statement. */
export interface Condition {
  readonly set: "any" | "all" | undefined;
  readonly comparison: ComparisonName | "Null";
  readonly ifExists: boolean;
  /** As the document spells it. */
  readonly name: string;
  /** `name` in lower case. */
  readonly key: string;
  readonly values: readonly string[];
}

type Refuse = (at: string, message: string) => Error;

function operator(name: string, refuse: Refuse): Pick<Condition, "set" | "comparison" | "ifExists"> {
  const match = /^(?:(ForAnyValue|ForAllValues):)?([A-Za-z]+?)(IfExists)?$/.exec(name);
  const comparison = match?.[2] ?? "";
  const known = comparison === "Null" || isComparison(comparison);
  if (match === null || !known || (comparison === "Null" && (match[3] !== undefined || match[1] !== undefined))) {
    throw refuse(`.${name}`, "is not a condition operator");
  }
  return {
    set: match[1] === "ForAnyValue" ? "any" : match[1] === "ForAllValues" ? "all" : undefined,
    comparison,
    ifExists: match[3] !== undefined,
  };
}

function conditionValues(value: unknown, at: string, refuse: Refuse): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((item) => {
    if (typeof item === "string" || typeof item === "boolean" || typeof item === "number") return String(item);
    throw refuse(at, "must be a string, a number, a boolean or an array of these");
  });
}

export function parseConditions(value: unknown, refuse: Refuse): readonly Condition[] {
  if (value === undefined) return [];
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refuse("", "must be an object");
  const conditions: Condition[] = [];
  for (const [name, keys] of Object.entries(value)) {
    const parsed = operator(name, refuse);
    if (typeof keys !== "object" || keys === null || Array.isArray(keys)) throw refuse(`.${name}`, "must be an object");
    for (const [key, values] of Object.entries(keys)) {
      if (!/^[^:]+:./.test(key)) throw refuse(`.${name}.${key}`, "is not a condition key such as aws:SourceIp");
      const found = conditionValues(values, `.${name}.${key}`, refuse);
      if (parsed.comparison === "Null" && !found.every((v) => v === "true" || v === "false")) {
        throw refuse(`.${name}.${key}`, 'must be "true" or "false"');
      }
      conditions.push({ ...parsed, name: key, key: key.toLowerCase(), values: found });
    }
  }
  return conditions;
}

/** True when the condition holds. `expand` fills in `${…}` variables, undefined when one has no value. */
export function conditionHolds(
  condition: Condition,
  context: ConditionContext,
  expand: (value: string, use: VariableUse) => string | undefined,
): boolean {
  const found = context.get(condition.key);
  const present = found !== undefined && found.length > 0;
  if (condition.comparison === "Null") return condition.values.includes(present ? "false" : "true");
  const { test, negated, variables } = comparisons[condition.comparison];
  if (!present) {
    if (condition.ifExists) return true;
    if (condition.set !== undefined) return condition.set === "all";
    return negated;
  }
  const wanted: string[] = [];
  for (const value of condition.values) {
    const expanded = variables ? expand(value, variables) : value;
    if (expanded !== undefined) wanted.push(expanded);
  }
  // Positive operators ask for one of the values, negated ones for none of them.
  const one = (value: string) => wanted.some((w) => test(value, w)) !== negated;
  return condition.set === "all" ? found.every(one) : found.some(one);
}
