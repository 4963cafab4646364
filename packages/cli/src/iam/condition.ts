import { matchesArn, matchesText } from "./pattern.js";

/** Whether a condition holds; undefined when the document alone does not tell. */
export type Truth = boolean | undefined;

/** What is known of one condition key of a request: its values, or that it is absent. */
export type Fact =
  | { readonly values: readonly string[] /** There may be more than these. */; readonly open?: true }
  | "absent";

/** By lower-case name. A key that is not here is not known. */
export type Facts = ReadonlyMap<string, Fact>;

type Test = (found: string, wanted: string) => boolean;
const equal: Test = (found, wanted) => found === wanted;
const alike: Test = (found, wanted) => found.toLowerCase() === wanted.toLowerCase();
const like: Test = (found, wanted) => matchesText(wanted, found);
const arn: Test = (found, wanted) => matchesArn(wanted, found);

/** The comparisons that can be told from text; the others know of numbers, times and addresses. */
const TESTS: Readonly<Record<string, Test>> = {
  StringEquals: equal,
  StringEqualsIgnoreCase: alike,
  StringLike: like,
  ArnEquals: arn,
  ArnLike: arn,
  Bool: alike,
};
const UNTOLD = ["BinaryEquals", "IpAddress"];
const ORDERED = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"];

/** IAM User Guide, "IAM JSON policy elements: Condition operators". */
const NEGATED: Readonly<Record<string, string>> = {
  StringNotEquals: "StringEquals",
  StringNotEqualsIgnoreCase: "StringEqualsIgnoreCase",
  StringNotLike: "StringLike",
  ArnNotEquals: "ArnEquals",
  ArnNotLike: "ArnLike",
  NotIpAddress: "IpAddress",
  NumericNotEquals: "NumericEquals",
  DateNotEquals: "DateEquals",
};
const OPERATORS = new Set([
  "Null",
  ...Object.keys(TESTS),
  ...Object.keys(NEGATED),
  ...UNTOLD,
  ...ORDERED.flatMap((name) => [`Numeric${name}`, `Date${name}`]),
]);

interface Operator {
  readonly set: "any" | "all" | undefined;
  readonly comparison: string;
  readonly ifExists: boolean;
}

/** Undefined for what is no condition operator. */
export function parseOperator(name: string): Operator | undefined {
  const [, set, comparison = "", ifExists] =
    /^(?:(ForAnyValue|ForAllValues):)?([A-Za-z]+?)(IfExists)?$/.exec(name) ?? [];
  if (!OPERATORS.has(comparison) || (comparison === "Null" && (set || ifExists))) return undefined;
  const values = set === "ForAnyValue" ? "any" : set === "ForAllValues" ? "all" : undefined;
  return { set: values, comparison, ifExists: ifExists !== undefined };
}

/** One `operator → key → values` of a statement against what is known of a request. */
export function conditionHolds(name: string, key: string, wanted: readonly string[], facts: Facts): Truth {
  const operator = parseOperator(name);
  const fact = facts.get(key.toLowerCase());
  if (operator === undefined || fact === undefined) return undefined;
  const { set, comparison, ifExists } = operator;
  const values = fact === "absent" ? [] : fact.values;
  const open = fact !== "absent" && fact.open === true;
  const present = open || values.length > 0;
  if (comparison === "Null") {
    return open && values.length === 0 ? undefined : wanted.includes(present ? "false" : "true");
  }
  const positive = NEGATED[comparison];
  if (!present) return ifExists || (set === undefined ? positive !== undefined : set === "all");
  const test = TESTS[positive ?? comparison];
  if (test === undefined) return undefined;
  const one = (found: string) => wanted.some((value) => test(found, value)) !== (positive !== undefined);
  const told = set === "all" ? values.every(one) : values.some(one);
  // Further values can make an "any" true and an "all" false; without a set operator AWS does not say which one counts.
  if (open && (set === undefined || told === (set === "all"))) return undefined;
  return told;
}
