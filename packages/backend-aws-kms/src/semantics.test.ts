import { randomBytes } from "node:crypto";
import { verifySignature } from "@basil/core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { context } from "../test/call-context.js";
import { type Emulated, emulated, keyRef, SIGNING_KEY_TYPES, useProfiles } from "../test/emulated.js";

let test: Emulated;
beforeAll(async () => {
  const removeProfiles = await useProfiles();
  test = await emulated();
  return removeProfiles;
});
afterAll(async () => {
  await test[Symbol.asyncDispose]();
  vi.unstubAllEnvs();
});

const WIDTHS = { ed25519: 64, "ecdsa-p256": 64, "ecdsa-p384": 96, "ecdsa-p521": 132 } as const;
const bytes = (size: number) => new Uint8Array(randomBytes(size));
const ARN = /^arn:aws:kms:us-east-1:111122223333:key\/[0-9a-f-]{36}$/;

describe.for(SIGNING_KEY_TYPES)("a key of %s in KMS", (keyType) => {
  const key = keyRef(keyType);
  const sizes = keyType === "ed25519" ? [1, 32, 4096] : [0, 1, 4096, 4097, 100_000];

  it.for(sizes)("signs a message of %i bytes, and the signature verifies offline, on KMS and here", async (size) => {
    const { transit } = test.open("admin");
    const local = test.open("admin", { verify: "local" }).transit;
    const message = bytes(size);
    const { signature, resource, keyVersion, backendRequestId } = await transit.sign(key, message, context());
    const { publicKey } = await transit.publicKey(key, context());
    expect({ width: signature.length, keyVersion }).toEqual({ width: WIDTHS[keyType], keyVersion: 1 });
    expect(resource).toMatch(ARN);
    expect(test.emulator.calls.map(({ requestId }) => requestId)).toContain(backendRequestId);
    expect(verifySignature({ keyType, publicKey, message, signature })).toBe(true);
    for (const engine of [transit, local]) {
      await expect(engine.verify(key, message, signature, context())).resolves.toMatchObject({ valid: true, resource });
      const other = Uint8Array.of(...message.subarray(0, 100), 1);
      await expect(engine.verify(key, other, signature, context())).resolves.toMatchObject({ valid: false });
      const flipped = Uint8Array.from(signature, (byte, i) => (i === 9 ? byte ^ 1 : byte));
      await expect(engine.verify(key, message, flipped, context())).resolves.toMatchObject({ valid: false });
    }
  });

  it("refuses nothing but false for a signature of zeros", async () => {
    const { transit } = test.open("admin");
    const zeros = new Uint8Array(WIDTHS[keyType]);
    await expect(transit.verify(key, bytes(8), zeros, context())).resolves.toMatchObject({ valid: false });
  });

  it("is absent, unusable when disabled, and unusable under another key type", async () => {
    const { probe } = test.open("admin");
    await expect(probe({ ...key, path: "alias/basil/nobody" }, context())).resolves.toEqual({ state: "absent" });
    const other = keyType === "ed25519" ? "ecdsa-p256" : "ed25519";
    await expect(probe({ ...key, keyType: other }, context())).resolves.toMatchObject({
      state: "unusable",
      resource: ARN_LIKE,
    });
    const handle = await test.emulator.keys.create({ spec: "ECC_NIST_P256", state: "Disabled" });
    await expect(probe({ ...keyRef("ecdsa-p256"), path: handle.arn }, context())).resolves.toMatchObject({
      state: "unusable",
      reason: expect.stringContaining("Disabled"),
    });
  });
});

const ARN_LIKE = expect.stringMatching(ARN);

describe("a key whose ARN is of another region", () => {
  it("is unusable, and the reason names both regions", async () => {
    const path = "arn:aws:kms:eu-west-1:111122223333:key/1111abcd-12ab-34cd-56ef-1234567890ab";
    await expect(test.open("admin").probe({ ...keyRef("ed25519"), path }, context())).resolves.toMatchObject({
      state: "unusable",
      reason: expect.stringMatching(/region eu-west-1, this backend calls us-east-1/),
    });
  });
});

describe("an aes-256-gcm key in KMS", () => {
  const key = keyRef("aes-256-gcm");
  const { signal } = new AbortController();
  const call = { signal, requestId: "r" };

  it.for([1, 32, 4096])("opens what it sealed, %i bytes", async (size) => {
    const { transit } = test.open("admin");
    const plaintext = bytes(size);
    const { envelope, resource } = await transit.encrypt(key, plaintext, undefined, call);
    expect(envelope).toMatchObject({ keyVersion: 1, nonce: new Uint8Array(0) });
    await expect(transit.decrypt(key, envelope, undefined, call)).resolves.toMatchObject({ plaintext, resource });
  });

  it("answers alike to a wrong key, a wrong context and a changed ciphertext", async () => {
    const { transit } = test.open("admin");
    const { id } = await test.emulator.keys.create({ spec: "SYMMETRIC_DEFAULT" });
    const { envelope } = await transit.encrypt(key, bytes(8), bytes(4), call);
    const changed = {
      ...envelope,
      ciphertext: Uint8Array.from(envelope.ciphertext, (byte, i) => (i === 99 ? byte ^ 1 : byte)),
    };
    const failures = await Promise.all(
      [
        transit.decrypt({ ...key, path: id }, envelope, undefined, call),
        transit.decrypt(key, envelope, undefined, call),
        transit.decrypt(key, changed, undefined, call),
        transit.decrypt(key, { ...envelope, ciphertext: bytes(300) }, undefined, call),
      ].map((decrypted) => decrypted.catch((error: unknown) => error)),
    );
    for (const failure of failures) expect(failure).toMatchObject({ code: "DECRYPT_FAILED", details: {} });
  });

  it("never opens with AAD absent what was sealed with AAD empty, nor the other way round", async () => {
    const { transit } = test.open("admin");
    const empty = new Uint8Array(0);
    for (const [sealed, opened] of [
      [undefined, empty],
      [empty, undefined],
    ] as const) {
      const { envelope } = await transit.encrypt(key, bytes(8), sealed, call);
      await expect(transit.decrypt(key, envelope, opened, call)).rejects.toMatchObject({ code: "DECRYPT_FAILED" });
      await expect(transit.decrypt(key, envelope, sealed, call)).resolves.toBeDefined();
    }
  });
});

describe("a key named as AWS names it", () => {
  it.for(["ARN", "UUID", "mrk- id", "alias ARN"] as const)("is used by its %s", async (form) => {
    const { keys } = test.emulator;
    const alias = `alias/basil/form-${form.replace(/[^a-z]/gi, "")}`;
    const handle = await keys.create({ spec: "ECC_NIST_P384", aliases: [alias], multiRegion: form === "mrk- id" });
    const path = {
      ARN: handle.arn,
      UUID: handle.id,
      "mrk- id": handle.id,
      "alias ARN": `arn:aws:kms:us-east-1:111122223333:${alias}`,
    }[form];
    const key = { ...keyRef("ecdsa-p384"), path };
    const { transit, probe } = test.open("admin");
    await expect(probe(key, context())).resolves.toMatchObject({ state: "present", resource: handle.arn });
    const { signature } = await transit.sign(key, bytes(4), context());
    expect(signature).toHaveLength(96);
    expect(test.emulator.calls.findLast(({ operation }) => operation === "Sign")?.keyId).toBe(path);
  });
});

describe("calls to KMS", () => {
  it("are one each for sign, encrypt and decrypt, and none for a repeated public key or a local verify", async () => {
    await using own = await emulated();
    const { transit } = own.open("admin", { verify: "local" });
    const signing = keyRef("ecdsa-p256");
    const aes = keyRef("aes-256-gcm");
    const rounds = 200;
    const message = bytes(32);
    const { signature } = await transit.sign(signing, message, context());
    const { envelope } = await transit.encrypt(aes, message, undefined, context());
    await transit.publicKey(signing, context());
    own.emulator.clearCalls();
    for (let round = 0; round < rounds; round += 1) {
      await Promise.all([
        transit.sign(signing, message, context()),
        transit.encrypt(aes, message, undefined, context()),
        transit.decrypt(aes, envelope, undefined, context()),
        transit.publicKey(signing, context()),
        transit.verify(signing, message, signature, context()),
      ]);
    }
    const counted = Object.groupBy(own.emulator.calls, ({ operation }) => operation);
    expect(Object.fromEntries(Object.entries(counted).map(([name, calls]) => [name, calls?.length]))).toEqual({
      Sign: rounds,
      Encrypt: rounds,
      Decrypt: rounds,
    });
  });
});
