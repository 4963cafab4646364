import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { creatableAlias, keyReference } from "./key-ref.js";

describe("keyReference (§1.6)", () => {
  it.for([
    ["alias/basil/jwt-signing-primary", "alias"],
    ["arn:aws:kms:us-east-1:111122223333:key/1111abcd-12ab-34cd-56ef-1234567890ab", "arn"],
    ["arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/basil/x", "arn"],
    ["arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab", "arn"],
    ["1234abcd-12ab-34cd-56ef-1234567890ab", "key-id"],
    ["1234ABCD-12AB-34CD-56EF-1234567890AB", "key-id"],
    ["mrk-1234abcd12ab34cd56ef1234567890ab", "key-id"],
  ] as const)("takes %s as it is", ([path, form]) => {
    expect(keyReference(path)).toMatchObject({ form, keyId: path });
  });

  it.for([
    ["jwt.signing.primary", "alias/basil/jwt_signing_primary-l7RAwt7aXNck"],
    ["payload.aead", "alias/basil/payload_aead-AOUO-OT8CWxK"],
    ["tenant/\u00e9clair key:1", "alias/basil/tenant/_clair_key_1-VFPmh3cHp9r9"],
    ["a.b", "alias/basil/a_b-LnM23I66h-9H"],
    ["a_b", "alias/basil/a_b-ZI-psxvH_365"],
  ] as const)("reads %s as a logical name", ([path, alias]) => {
    expect(keyReference(path)).toEqual({ form: "alias", keyId: alias, generated: true });
  });

  it("writes one _ for a character outside the Basic Multilingual Plane", () => {
    expect(keyReference("a\u{1f511}b").keyId).toMatch(/^alias\/basil\/a_b-.{12}$/);
  });

  it.for([
    "mrk-",
    "mrk-1234abcd12ab34cd56ef1234567890a",
    "mrk-1234abcd12ab34cd56ef1234567890abc",
    "mrk-1234ABCD12ab34cd56ef1234567890ab",
    "1234abcd-12ab-34cd-56ef-1234567890a",
    "g234abcd-12ab-34cd-56ef-1234567890ab",
    "Alias/x",
    "aliases/x",
  ])("reads %s, which is no key id, as a logical name", (path) => {
    expect(keyReference(path)).toMatchObject({ form: "alias", generated: true });
  });
});

describe("keyReference of any text", () => {
  it("is the text itself or an alias of the characters KMS allows, and never the same alias for two names", () => {
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 300 }), (path) => {
        const reference = keyReference(path);
        if (reference.form !== "alias" || !reference.generated) return expect(reference.keyId).toBe(path);
        expect(reference.keyId).toMatch(/^alias\/basil\/[a-zA-Z0-9/_-]+-[a-zA-Z0-9_-]{12}$/);
        expect(seen.get(reference.keyId) ?? path).toBe(path);
        seen.set(reference.keyId, path);
      }),
      { numRuns: 2000 },
    );
  });

  it("leads to an alias that can be created, or to a coded refusal", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 300 }),
        fc.constantFrom("", "alias/", "alias/aws/", "arn:"),
        (text, prefix) => {
          try {
            const alias = creatableAlias(prefix + text);
            expect(alias).toMatch(/^alias\/(?!aws\/)[a-zA-Z0-9/_-]{1,250}$/);
          } catch (error) {
            expect(error).toMatchObject({ code: "INVALID_REQUEST" });
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe("creatableAlias", () => {
  it("is the alias written in the catalog, or the generated one", () => {
    expect(creatableAlias("alias/team/key_1")).toBe("alias/team/key_1");
    expect(creatableAlias("payload.aead")).toBe("alias/basil/payload_aead-AOUO-OT8CWxK");
  });

  it.for([
    ["arn:aws:kms:us-east-1:111122223333:key/1111abcd-12ab-34cd-56ef-1234567890ab", /AWS assigns/],
    ["1234abcd-12ab-34cd-56ef-1234567890ab", /AWS assigns/],
    ["mrk-1234abcd12ab34cd56ef1234567890ab", /AWS assigns/],
    [`alias/${"a".repeat(251)}`, /257 characters/],
    ["x".repeat(232), /257 characters/],
    ["alias/", /one or more of/],
    ["alias/a.b", /one or more of/],
    ["alias/a:b", /one or more of/],
    ["alias/aws/s3", /reserved by AWS/],
  ] as const)("refuses %s", ([path, reason]) => {
    expect(() => creatableAlias(path)).toThrow(reason);
    expect(() => creatableAlias(path)).toThrow(expect.objectContaining({ code: "INVALID_REQUEST" }));
  });

  it("takes an alias of exactly 256 characters, and one that only looks reserved", () => {
    expect(creatableAlias(`alias/${"a".repeat(250)}`)).toHaveLength(256);
    expect(creatableAlias("x".repeat(231))).toHaveLength(256);
    expect(creatableAlias("alias/awsome")).toBe("alias/awsome");
  });
});
