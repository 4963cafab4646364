import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coversArn, matchesAction, matchesArn, matchesText, meetsArn } from "./pattern.js";

const letters = fc.string({ unit: fc.constantFrom("a", "b", "/", "*", "?"), maxLength: 6 });
const plain = fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 6 });
const arn = (resource: string) => `arn:aws:kms:us-east-1:111122223333:${resource}`;

describe("matchesText", () => {
  it("is what a regular expression says", () => {
    fc.assert(
      fc.property(letters, plain, (pattern, text) => {
        const source = pattern.replaceAll("*", ".*").replaceAll("?", ".");
        expect(matchesText(pattern, text)).toBe(new RegExp(`^${source}$`, "s").test(text));
      }),
    );
  });

  it("takes no longer for a pattern of many stars", () => {
    expect(matchesText(`${"*a".repeat(1000)}b`, "a".repeat(2000))).toBe(false);
  });
});

describe("matchesAction and matchesArn", () => {
  it("compare actions without regard to case, and ARNs with it, segment by segment", () => {
    expect(matchesAction("KMS:sign", "kms:Sign")).toBe(true);
    expect(matchesArn(arn("key/A"), arn("key/a"))).toBe(false);
    expect(matchesArn("arn:aws:*:key/1", arn("key/1"))).toBe(false);
    expect(matchesArn("*", arn("key/1"))).toBe(true);
    expect(matchesArn("arn:aws:s3:::a:*", "arn:aws:s3:::a:b:c")).toBe(true);
  });
});

describe("coversArn and meetsArn", () => {
  it("cover only what is matched as a whole, and meet wherever one ARN is matched by both", () => {
    fc.assert(
      fc.property(letters, letters, plain, (one, other, text) => {
        const inOne = matchesArn(arn(one), arn(text));
        const inOther = matchesArn(arn(other), arn(text));
        if (coversArn(arn(one), arn(other)) && inOther) expect(inOne).toBe(true);
        if (inOne && inOther) expect(meetsArn(arn(one), arn(other))).toBe(true);
      }),
      { numRuns: 1000 },
    );
    expect(coversArn(arn("key/*"), arn("key/1*"))).toBe(true);
    expect(coversArn(arn("key/1*"), arn("key/*"))).toBe(false);
    expect(meetsArn(arn("key/1*"), arn("key/2*"))).toBe(false);
    expect(meetsArn(arn("key/*1"), arn("key/2*"))).toBe(true);
  });
});
