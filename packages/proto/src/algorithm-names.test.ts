import { describe, expect, it } from "vitest";
import { AEAD_NUMBERS, aeadName, KEY_TYPE_NUMBERS, keyTypeName } from "./algorithm-names.js";
import { AeadAlgorithm, AeadAlgorithmSchema, KeyType, KeyTypeSchema } from "./gen/basil/broker/v1/broker_pb.js";

describe("the names of algorithms", () => {
  it("cover every number but zero", () => {
    const numbers = (values: readonly { number: number }[]) => values.map(({ number }) => number).filter(Boolean);
    expect(Object.values(KEY_TYPE_NUMBERS).sort()).toEqual(numbers(KeyTypeSchema.values).sort());
    expect(Object.values(AEAD_NUMBERS).sort()).toEqual(numbers(AeadAlgorithmSchema.values).sort());
  });

  it("are those of the numbers they stand for", () => {
    for (const [name, number] of Object.entries(KEY_TYPE_NUMBERS))
      expect(KeyType[number]).toBe(name.toUpperCase().replaceAll("-", "_"));
    for (const [name, number] of Object.entries(AEAD_NUMBERS))
      expect(AeadAlgorithm[number]).toBe(name.toUpperCase().replaceAll("-", "_"));
  });

  it("are found by number, and missing for zero and for numbers to come", () => {
    expect(keyTypeName(KeyType.ECDSA_P521)).toBe("ecdsa-p521");
    expect([keyTypeName(0), keyTypeName(13 as KeyType), aeadName(0)]).toEqual([undefined, undefined, undefined]);
    expect(aeadName(AeadAlgorithm.AES_256_GCM)).toBe("aes-256-gcm");
  });
});
