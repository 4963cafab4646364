import type { KeyRef } from "@basil/core";
import { describe, expect, it } from "vitest";
import { context } from "../test/call-context.js";
import { decrypt } from "./encryption.js";
import type { Keyring } from "./keyring.js";

describe("decrypt", () => {
  it("zeroes what the SDK made of the answer, once it has a copy", async () => {
    const Plaintext = new TextEncoder().encode("a plaintext");
    const keyring = {
      calls: { call: async () => ({ output: { Plaintext, KeyId: "arn" }, requestId: "1" }) },
      versions: { of: async () => ({ arns: new Map(), rotated: false }), answeredBy: async () => 1 },
    } as unknown as Keyring;
    const key: KeyRef = { name: "k", path: "alias/k", keyType: "aes-256-gcm" };
    const envelope = { keyVersion: 1, nonce: new Uint8Array(), ciphertext: new Uint8Array(64) };
    const { plaintext } = await decrypt(keyring, key, envelope, undefined, context());
    expect(plaintext).toEqual(new TextEncoder().encode("a plaintext"));
    expect(Plaintext).toEqual(new Uint8Array(11));
  });
});
