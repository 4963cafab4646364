import { describe, expect, it } from "vitest";
import { conditionHolds, parseConditions } from "./condition.js";

function holds(element: object, context: Record<string, readonly string[]>): boolean {
  const conditions = parseConditions(element, (at, message) => new Error(`${at} ${message}`));
  const entries = new Map(Object.entries(context).map(([name, values]) => [name.toLowerCase(), values]));
  return conditions.every((condition) => conditionHolds(condition, entries, (value) => value));
}

describe("conditions", () => {
  it.for([
    ["StringEquals", "a", ["a"], true],
    ["StringEquals", "a", ["A"], false],
    ["StringEquals", ["a", "b"], ["b"], true],
    ["StringNotEquals", "a", ["b"], true],
    ["StringNotEquals", ["a", "b"], ["b"], false],
    ["StringNotEquals", "a", [], true],
    ["StringEqualsIgnoreCase", "aB", ["Ab"], true],
    ["StringNotEqualsIgnoreCase", "aB", ["Ab"], false],
    ["StringLike", "alias/basil/*", ["alias/basil/x/y"], true],
    ["StringLike", "alias/?", ["alias/xy"], false],
    ["StringLike", "Alias/*", ["alias/x"], false],
    ["StringNotLike", "alias/*", ["alias/x"], false],
    ["StringNotLike", "alias/*", [], true],
    ["StringEquals", "a", [], false],
    ["StringEqualsIfExists", "a", [], true],
    ["StringEqualsIfExists", "a", ["b"], false],
    ["NumericEquals", 7, ["7.0"], true],
    ["NumericNotEquals", "7", ["8"], true],
    ["NumericLessThan", "7", ["7"], false],
    ["NumericLessThanEquals", "7", ["7"], true],
    ["NumericGreaterThan", "7", ["30"], true],
    ["NumericGreaterThanEquals", "7", ["6.9"], false],
    ["NumericEquals", "7", ["seven"], false],
    ["DateLessThan", "2026-01-01T00:00:00Z", ["2025-12-31T23:59:59Z"], true],
    ["DateGreaterThan", "1767225600", ["2026-01-01T00:00:01Z"], true],
    ["DateEquals", "2026-01-01T00:00:00Z", ["1767225600"], true],
    ["Bool", true, ["true"], true],
    ["Bool", "false", ["true"], false],
    ["BinaryEquals", "QUJD", ["QUJD"], true],
    ["IpAddress", "203.0.113.0/24", ["203.0.113.9"], true],
    ["IpAddress", "203.0.113.0/24", ["203.0.114.9"], false],
    ["IpAddress", "203.0.113.9", ["203.0.113.9"], true],
    ["IpAddress", "2001:db8::/32", ["2001:db8:1::1"], true],
    ["IpAddress", "203.0.113.0/33", ["203.0.113.9"], false],
    ["NotIpAddress", "203.0.113.0/24", ["203.0.114.9"], true],
    ["ArnLike", "arn:aws:iam::*:role/*", ["arn:aws:iam::111122223333:role/a/b"], true],
    ["ArnEquals", "arn:aws:iam::*:role", ["arn:aws:iam::1:2:role"], false],
    ["ArnNotLike", "arn:aws:iam::*:role/*", ["arn:aws:iam::111122223333:role/x"], false],
    ["Null", "true", [], true],
    ["Null", "true", ["x"], false],
    ["Null", false, ["x"], true],
    ["ForAnyValue:StringLike", "alias/basil/*", ["alias/x", "alias/basil/y"], true],
    ["ForAnyValue:StringLike", "alias/basil/*", [], false],
    ["ForAllValues:StringLike", "alias/basil/*", ["alias/x", "alias/basil/y"], false],
    ["ForAllValues:StringLike", "alias/basil/*", ["alias/basil/y"], true],
    ["ForAllValues:StringLike", "alias/basil/*", [], true],
    ["ForAnyValue:StringNotEquals", "a", ["a", "b"], true],
    ["ForAllValues:StringNotEquals", "a", ["a", "b"], false],
  ] as const)("%s %j on %j is %s", ([operator, wanted, found, expected]) => {
    expect(holds({ [operator]: { "kms:Key": wanted } }, { "kms:key": found })).toBe(expected);
  });

  it("joins operators and keys with AND", () => {
    const element = { StringEquals: { "s:a": "1", "s:b": "2" }, StringLike: { "s:c": "x*" } };
    expect(holds(element, { "s:a": ["1"], "s:b": ["2"], "s:c": ["xy"] })).toBe(true);
    expect(holds(element, { "s:a": ["1"], "s:b": ["3"], "s:c": ["xy"] })).toBe(false);
    expect(holds(element, { "s:a": ["1"], "s:b": ["2"], "s:c": ["y"] })).toBe(false);
  });

  it("refuses null, as the element and as the keys of an operator", () => {
    expect(() => holds(JSON.parse("null"), {})).toThrow("must be an object");
    expect(() => holds({ StringEquals: null }, {})).toThrow(".StringEquals must be an object");
  });

  it("refuses a condition key without a service prefix", () => {
    expect(() => holds({ StringEquals: { SourceIp: "1" } }, {})).toThrow("is not a condition key");
  });

  it("compares key names without regard to case", () => {
    expect(holds({ StringEquals: { "KMS:RequestAlias": "alias/x" } }, { "kms:requestalias": ["alias/x"] })).toBe(true);
  });

  it.for([["StringIs"], ["NullIfExists"], ["ForSomeValues:StringEquals"], ["stringequals"]])(
    "refuses the operator %s",
    ([name]) => {
      expect(() => holds({ [name ?? ""]: { a: "b" } }, {})).toThrow("is not a condition operator");
    },
  );
});
