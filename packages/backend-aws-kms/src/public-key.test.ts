import type { KeyRef } from "@basil/core";
import { describe, expect, it } from "vitest";
import { context } from "../test/call-context.js";
import { FakeKms } from "../test/fake-kms.js";
import { awsKmsOver } from "./backend.js";

describe("publicKey", () => {
  it("is that of the type asked for, or KEY_UNUSABLE, also when another name of the path has it already", async () => {
    const kms = new FakeKms();
    kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "alias/k");
    const { transit } = awsKmsOver(kms, {});
    const right: KeyRef = { name: "right", path: "alias/k", keyType: "ed25519" };
    const wrong: KeyRef = { name: "wrong", path: "alias/k", keyType: "ecdsa-p256" };
    await expect(transit?.publicKey(right, context())).resolves.toMatchObject({ keyType: "ed25519" });
    for (const version of [undefined, 1]) {
      const asked = transit?.publicKey(wrong, context(), version === undefined ? {} : { version });
      await expect(asked).rejects.toMatchObject({ code: "KEY_UNUSABLE" });
    }
    await expect(transit?.publicKey(right, context())).resolves.toMatchObject({ keyType: "ed25519" });
    expect(kms.count("GetPublicKey")).toBe(3);
  });

  it("of a key that was just made is its own, also where another key was before", async () => {
    const kms = new FakeKms();
    kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "alias/k");
    const { transit } = awsKmsOver(kms, {});
    const key: KeyRef = { name: "k", path: "alias/k", keyType: "ed25519" };
    const before = await transit?.publicKey(key, context());
    kms.aliases.delete("alias/k");
    const made = await transit?.createKey?.(key, context());
    expect(made?.publicKey).not.toEqual(before?.publicKey);
    await expect(transit?.publicKey(key, context())).resolves.toMatchObject({ publicKey: made?.publicKey });
  });
});
