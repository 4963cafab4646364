import type { KeyRef } from "@basil/core";
import { describe, expect, it } from "vitest";
import { context } from "../test/call-context.js";
import { FakeKms } from "../test/fake-kms.js";
import { awsKmsOver } from "./backend.js";

const signing: KeyRef = { name: "signing", path: "alias/signing", keyType: "ed25519" };
const sealing: KeyRef = { name: "sealing", path: "alias/sealing", keyType: "aes-256-gcm" };
const message = new TextEncoder().encode("hello");
const EACH = 2000;

describe.for([
  ["kms", EACH],
  ["local", 0],
] as const)("10,000 mixed operations, verify by %s", ([verify, verifications]) => {
  it("send one request for each sign, encrypt and decrypt, and none for a repeated public key", async () => {
    const kms = new FakeKms();
    kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", signing.path);
    kms.create("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", sealing.path);
    const { transit } = awsKmsOver(kms, { verify });
    if (!transit) throw new Error("no transit engine");
    const { signature } = await transit.sign(signing, message, context());
    const { envelope } = await transit.encrypt(sealing, message, undefined, context());
    await transit.publicKey(signing, context());
    kms.requests.length = 0;
    for (let i = 0; i < EACH; i += 1) {
      const [, verified] = await Promise.all([
        transit.sign(signing, message, context()),
        transit.verify(signing, message, signature, context()),
        transit.publicKey(signing, context()),
        transit.encrypt(sealing, message, undefined, context()),
        transit.decrypt(sealing, envelope, undefined, context()),
      ]);
      expect(verified.valid).toBe(true);
    }
    const counted = Object.fromEntries(
      Object.entries(Object.groupBy(kms.requests, ({ action }) => action)).map(([action, all]) => [action, all.length]),
    );
    const rest = verifications === 0 ? {} : { Verify: verifications };
    expect(counted).toEqual({ Sign: EACH, Encrypt: EACH, Decrypt: EACH, ...rest });
  });
});
