import { createPublicKey, verify as cryptoVerify, randomBytes } from "node:crypto";
import type { KeyRef, KeyType } from "@basil/core";
import { describe, expect, it } from "vitest";
import { context } from "../test/call-context.js";
import { FakeKms } from "../test/fake-kms.js";
import { awsKmsOver } from "./backend.js";

const ALIAS = "alias/basil/k";
const key = (keyType: KeyType, path = ALIAS): KeyRef => ({ name: "k", path, keyType });
const message = new TextEncoder().encode("hello");

function open(spec = "ECC_NIST_EDWARDS25519", usage = "SIGN_VERIFY") {
  const kms = new FakeKms();
  const created = kms.create(spec, usage, ALIAS);
  const backend = awsKmsOver(kms, { id: "kms", operationTimeoutMs: 500, propagationTimeoutMs: 500 });
  const { transit } = backend;
  if (!transit) throw new Error("no transit engine");
  return { kms, created, backend, transit };
}

describe("awsKms", () => {
  it("signs an ed25519 message raw, and the signature verifies anywhere", async () => {
    const { kms, created, transit } = open();
    const { signature, keyVersion, resource, backendRequestId } = await transit.sign(
      key("ed25519"),
      message,
      context(),
    );
    expect({ keyVersion, resource }).toEqual({ keyVersion: 1, resource: created.arn });
    expect(backendRequestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(kms.requests.find(({ action }) => action === "Sign")).toMatchObject({
      input: { KeyId: ALIAS, MessageType: "RAW", SigningAlgorithm: "ED25519_SHA_512" },
    });
    const { publicKey } = await transit.publicKey(key("ed25519"), context());
    const spki = createPublicKey({ key: Buffer.from(publicKey), format: "der", type: "spki" });
    expect(cryptoVerify(null, message, spki, signature)).toBe(true);
  });

  it("says false to a signature that does not verify, with the KMS request id", async () => {
    const { transit } = open();
    const { signature } = await transit.sign(key("ed25519"), message, context());
    await expect(transit.verify(key("ed25519"), message, signature, context())).resolves.toMatchObject({ valid: true });
    const other = new TextEncoder().encode("other");
    await expect(transit.verify(key("ed25519"), other, signature, context())).resolves.toMatchObject({ valid: false });
  });

  it("encrypts and decrypts, with AAD absent and AAD empty as different contexts", async () => {
    const { transit } = open("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    const aes = key("aes-256-gcm");
    const contexts = [undefined, new Uint8Array(0), new TextEncoder().encode("basil-context-v1")];
    for (const sealed of contexts) {
      const { envelope } = await transit.encrypt(aes, message, sealed, context());
      expect(envelope).toMatchObject({ keyVersion: 1, nonce: new Uint8Array(0) });
      for (const opened of contexts) {
        const decrypted = transit.decrypt(aes, envelope, opened, context());
        if (opened === sealed) await expect(decrypted).resolves.toMatchObject({ plaintext: message });
        else await expect(decrypted).rejects.toMatchObject({ code: "DECRYPT_FAILED" });
      }
    }
  });

  it("sends AAD as the encryption context basil-aad, in base64, and no context without AAD", async () => {
    const { kms, transit } = open("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    const sent = async (aad?: Uint8Array) => {
      await transit.encrypt(key("aes-256-gcm"), message, aad, context());
      return kms.requests.findLast(({ action }) => action === "Encrypt")?.input.EncryptionContext;
    };
    expect(await sent(new TextEncoder().encode("basil-context-v1"))).toEqual({
      "basil-aad": "YmFzaWwtY29udGV4dC12MQ==",
    });
    expect(await sent(new Uint8Array(0))).toEqual({ "basil-aad": "" });
    expect(await sent()).toBeUndefined();
  });

  it.for([
    ["ed25519", 0, "INVALID_REQUEST"],
    ["ed25519", 4097, "PAYLOAD_TOO_LARGE"],
  ] as const)("refuses to sign a %s message of %i bytes before any call", async ([keyType, size, code]) => {
    const { kms, transit } = open();
    const oversized = randomBytes(size);
    await expect(transit.sign(key(keyType), oversized, context())).rejects.toMatchObject({ code });
    await expect(transit.verify(key(keyType), oversized, new Uint8Array(64), context())).rejects.toMatchObject({
      code,
    });
    expect(kms.requests).toEqual([]);
  });

  it("refuses a plaintext or ciphertext outside the limits of KMS before any call", async () => {
    const { kms, transit } = open("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
    const aes = key("aes-256-gcm");
    const decrypt = (size: number) =>
      transit.decrypt(
        aes,
        { keyVersion: 1, nonce: new Uint8Array(0), ciphertext: new Uint8Array(size) },
        undefined,
        context(),
      );
    await expect(transit.encrypt(aes, new Uint8Array(0), undefined, context())).rejects.toMatchObject({
      code: "INVALID_REQUEST",
    });
    await expect(transit.encrypt(aes, new Uint8Array(4097), undefined, context())).rejects.toMatchObject({
      code: "PAYLOAD_TOO_LARGE",
      details: { limit: 4096, actual: 4097 },
    });
    await expect(decrypt(0)).rejects.toMatchObject({ code: "INVALID_REQUEST" });
    await expect(decrypt(6145)).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE", details: { limit: 6144 } });
    expect(kms.requests).toEqual([]);
  });

  it.for(["rsa-2048", "ed25519-nkey", "chacha20-poly1305", "x25519", "ml-dsa-44", "ml-kem-768"] as const)(
    "refuses every operation on %s before any call",
    async (keyType) => {
      const { kms, backend, transit } = open();
      const refusal = { code: "UNSUPPORTED_ALGORITHM", details: { keyType } };
      const envelope = { keyVersion: 1, nonce: new Uint8Array(0), ciphertext: message };
      expect(backend.capabilities.keyTypes).not.toHaveProperty(keyType);
      await expect(transit.sign(key(keyType), message, context())).rejects.toMatchObject(refusal);
      await expect(transit.verify(key(keyType), message, new Uint8Array(64), context())).rejects.toMatchObject(refusal);
      await expect(transit.publicKey(key(keyType), context())).rejects.toMatchObject(refusal);
      await expect(transit.encrypt(key(keyType), message, undefined, context())).rejects.toMatchObject(refusal);
      await expect(transit.decrypt(key(keyType), envelope, undefined, context())).rejects.toMatchObject(refusal);
      await expect(transit.createKey(key(keyType, "new"), context())).rejects.toMatchObject(refusal);
      await expect(backend.probe(key(keyType), context())).rejects.toMatchObject(refusal);
      expect(kms.requests).toEqual([]);
    },
  );

  it("refuses what a key of the type does not do before any call", async () => {
    const { kms, transit } = open();
    const envelope = { keyVersion: 1, nonce: new Uint8Array(0), ciphertext: message };
    const refusal = { code: "UNSUPPORTED" };
    await expect(transit.sign(key("aes-256-gcm"), message, context())).rejects.toMatchObject(refusal);
    await expect(transit.publicKey(key("aes-256-gcm"), context())).rejects.toMatchObject(refusal);
    await expect(transit.encrypt(key("ecdsa-p256"), message, undefined, context())).rejects.toMatchObject(refusal);
    await expect(transit.decrypt(key("ed25519"), envelope, undefined, context())).rejects.toMatchObject(refusal);
    expect(kms.requests).toEqual([]);
  });

  it.for([
    ["ed25519", 63],
    ["ecdsa-p256", 65],
    ["ecdsa-p384", 64],
    ["ecdsa-p521", 131],
  ] as const)("refuses a %s signature of %i bytes as malformed before any call", async ([keyType, size]) => {
    const { kms, transit } = open();
    await expect(transit.verify(key(keyType), message, new Uint8Array(size), context())).rejects.toMatchObject({
      code: "SIGNATURE_MALFORMED",
    });
    expect(kms.requests).toEqual([]);
  });
});

describe("probe", () => {
  it("asks DescribeKey and nothing else", async () => {
    const { kms, created, backend } = open();
    await expect(backend.probe(key("ed25519"), context())).resolves.toEqual({
      state: "present",
      latestVersion: 1,
      resource: created.arn,
      keyType: "ed25519",
    });
    expect(new Set(kms.requests.map(({ action }) => action))).toEqual(new Set(["DescribeKey"]));
  });

  it("tells an absent key from one that is there and unusable", async () => {
    const { created, backend } = open();
    const { arn: resource } = created;
    await expect(backend.probe(key("ed25519", "alias/other"), context())).resolves.toEqual({ state: "absent" });
    await expect(backend.probe(key("ecdsa-p256"), context())).resolves.toMatchObject({
      state: "unusable",
      reason: expect.stringContaining("ECC_NIST_EDWARDS25519"),
      resource,
    });
    for (const state of ["Disabled", "PendingDeletion", "PendingImport", "Unavailable", "Creating"]) {
      created.state = state;
      await expect(backend.probe(key("ed25519"), context())).resolves.toMatchObject({
        state: "unusable",
        reason: expect.stringContaining(state),
      });
    }
  });

  it("finds a key whose usage is another unusable", async () => {
    const { backend } = open("ECC_NIST_P256", "KEY_AGREEMENT");
    await expect(backend.probe(key("ecdsa-p256"), context())).resolves.toMatchObject({
      state: "unusable",
      reason: expect.stringContaining("KEY_AGREEMENT"),
    });
  });
});
