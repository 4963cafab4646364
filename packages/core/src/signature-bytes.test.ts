import { KEY_TYPES } from "@basil/catalog";
import { describe, expect, it } from "vitest";
import { ecdsaCurve, isEcdsaKeyType } from "./curves.js";
import { signatureBytes } from "./signature-bytes.js";

describe("signatureBytes", () => {
  it("is known of the types that sign, and of no other", () => {
    const signs = KEY_TYPES.filter((keyType) => /^(?:ed25519|ecdsa|rsa|ml-dsa)/.test(keyType));
    expect(KEY_TYPES.filter((keyType) => signatureBytes(keyType) !== undefined)).toEqual(signs);
  });

  it("is twice the width of the curve for ECDSA", () => {
    for (const keyType of KEY_TYPES.filter(isEcdsaKeyType)) {
      expect(signatureBytes(keyType)).toBe(2 * ecdsaCurve(keyType).bytes);
    }
  });
});
