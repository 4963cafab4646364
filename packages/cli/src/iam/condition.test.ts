import { describe, expect, it } from "vitest";
import { conditionHolds, type Fact, parseOperator } from "./condition.js";

const facts = new Map<string, Fact>([
  ["kms:requestalias", { values: ["alias/basil/a"] }],
  ["kms:viaservice", "absent"],
  ["kms:resourcealiases", { values: ["alias/basil/a"], open: true }],
  ["kms:other", { values: [], open: true }],
]);

describe("conditionHolds", () => {
  it.for([
    ["StringEquals", "kms:RequestAlias", "alias/basil/a", true],
    ["StringEquals", "KMS:REQUESTALIAS", "alias/basil/b", false],
    ["StringLike", "kms:RequestAlias", "alias/basil/*", true],
    ["StringNotLike", "kms:RequestAlias", "alias/basil/*", false],
    ["ForAnyValue:StringLike", "kms:RequestAlias", "alias/basil/*", true],
    ["ForAllValues:StringLike", "kms:RequestAlias", "alias/basil/*", true],
    ["StringEquals", "kms:ViaService", "s3", false],
    ["StringNotEquals", "kms:ViaService", "s3", true],
    ["StringEqualsIfExists", "kms:ViaService", "s3", true],
    ["ForAnyValue:StringEquals", "kms:ViaService", "s3", false],
    ["ForAllValues:StringEquals", "kms:ViaService", "s3", true],
    ["Null", "kms:ViaService", "true", true],
    ["Null", "kms:RequestAlias", "true", false],
    ["Null", "kms:Other", "true", undefined],
    ["ForAnyValue:StringEquals", "kms:ResourceAliases", "alias/basil/a", true],
    ["ForAnyValue:StringEquals", "kms:ResourceAliases", "alias/basil/b", undefined],
    ["ForAllValues:StringEquals", "kms:ResourceAliases", "alias/basil/a", undefined],
    ["ForAllValues:StringEquals", "kms:ResourceAliases", "alias/basil/b", false],
    ["StringEquals", "kms:ResourceAliases", "alias/basil/a", undefined],
    ["Bool", "aws:MultiFactorAuthPresent", "true", undefined],
    ["IpAddress", "kms:RequestAlias", "10.0.0.0/8", undefined],
  ] as const)("%s %s %s is %s", ([operator, key, value, expected]) => {
    expect(conditionHolds(operator, key, [value], facts)).toBe(expected);
  });
});

describe("parseOperator", () => {
  it.for(["Like", "StringEqualsIfexists", "ForSomeValue:StringLike", "NullIfExists", "ForAnyValue:Null", ""])(
    "knows no %s",
    (name) => {
      expect(parseOperator(name)).toBeUndefined();
    },
  );
});
