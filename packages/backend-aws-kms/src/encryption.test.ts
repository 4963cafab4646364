import { BackendError, type KeyRef } from "@basil/core";
import { describe, expect, it } from "vitest";
import { context } from "../test/call-context.js";
import { decrypt } from "./encryption.js";
import type { Keyring } from "./keyring.js";

const key: KeyRef = { name: "k", path: "alias/k", keyType: "aes-256-gcm" };
const envelope = { keyVersion: 1, nonce: new Uint8Array(), ciphertext: new Uint8Array(64) };

describe("decrypt", () => {
  it("zeroes what the SDK made of the answer, once it has a copy", async () => {
    const Plaintext = new TextEncoder().encode("a plaintext");
    const keyring = {
      calls: { call: async () => ({ output: { Plaintext, KeyId: "arn" }, requestId: "1" }) },
      versions: { of: async () => ({ arns: new Map(), rotated: false }), answeredBy: async () => 1 },
    } as unknown as Keyring;
    const { plaintext } = await decrypt(keyring, key, envelope, undefined, context());
    expect(plaintext).toEqual(new TextEncoder().encode("a plaintext"));
    expect(Plaintext).toEqual(new Uint8Array(11));
  });

  it.for([
    ["again under the key that has this version now, when somebody else has rotated", true, ["alias/k", "alias/k/v1"]],
    ["once, when no version came meanwhile", false, ["alias/k"]],
  ] as const)("asks KMS for what it does not open %s", async ([, rotated, asked]) => {
    const keyIds: string[] = [];
    const refused = new BackendError("DECRYPT_FAILED", "not opened", {});
    const call = async (_action: string, _key: KeyRef, { KeyId }: { KeyId: string }) => {
      keyIds.push(KeyId);
      throw refused;
    };
    const now = { arns: new Map([[1, "arn:1"]]), rotated };
    const versions = { of: async () => ({ arns: new Map(), rotated: false }), doubted: async () => now };
    const keyring = { calls: { call }, versions } as unknown as Keyring;
    await expect(decrypt(keyring, key, envelope, undefined, context())).rejects.toBe(refused);
    expect(keyIds).toEqual(asked);
  });
});
