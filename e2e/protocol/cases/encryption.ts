import { expect } from "vitest";
import { base64, type Case, expectFailure, fails, invalid, tooLarge, zeros } from "../case.js";

const ENCRYPT = "AeadService/Encrypt";
const DECRYPT = "AeadService/Decrypt";
const MIB = 1_048_576;
const AES = "AEAD_ALGORITHM_AES_256_GCM";
const CHACHA = "AEAD_ALGORITHM_CHACHA20_POLY1305";
const plaintext = base64("what is kept secret");
const decryptFailed = {
  code: "INVALID_ARGUMENT",
  reason: "DECRYPT_FAILED",
  op: "decrypt",
  message: "decrypt failed",
};
type Envelope = {
  readonly alg: string;
  readonly keyVersion: number;
  readonly nonce: string;
  readonly ciphertext: string;
};

const works: readonly Case[] = [
  {
    id: "encrypt.aws-kms",
    run: async (scene) => {
      const key = { keyId: "app.aead" };
      const aad = base64("bound");
      const { envelope } = await scene.answer<{ envelope: Envelope }>("kms", ENCRYPT, {
        ...key,
        algorithm: AES,
        plaintext,
        aad,
      });
      expect(envelope).toMatchObject({ alg: AES, keyVersion: 1, nonce: "" });
      expect(await scene.answer("kms", DECRYPT, { ...key, envelope, aad })).toEqual({ plaintext });
      // The nonce and the version are not looked at.
      const other = { ...envelope, nonce: zeros(12), keyVersion: 0 };
      expect(await scene.answer("kms", DECRYPT, { ...key, envelope: other, aad })).toEqual({ plaintext });
      expectFailure(await scene.call("kms", DECRYPT, { ...key, envelope, aad: base64("other") }), decryptFailed);
      expectFailure(await scene.call("kms", DECRYPT, { ...key, envelope }), decryptFailed);
      const tampered = { ...envelope, ciphertext: zeros(100) };
      expectFailure(await scene.call("kms", DECRYPT, { ...key, envelope: tampered, aad }), decryptFailed);
    },
  },
  {
    id: "encrypt.absent-and-empty-aad",
    run: async (scene) => {
      const seal = async (aad: object) =>
        (
          await scene.answer<{ envelope: Envelope }>("kms", ENCRYPT, {
            keyId: "app.aead",
            algorithm: AES,
            plaintext,
            ...aad,
          })
        ).envelope;
      const open = (envelope: Envelope, aad: object) =>
        scene.call("kms", DECRYPT, { keyId: "app.aead", envelope, ...aad });
      const [absent, empty] = [await seal({}), await seal({ aad: "" })];
      expect((await open(absent, {})).code).toBe("OK");
      expect((await open(empty, { aad: "" })).code).toBe("OK");
      expectFailure(await open(absent, { aad: "" }), decryptFailed);
      expectFailure(await open(empty, {}), decryptFailed);
    },
  },
  {
    id: "encrypt.chacha20-poly1305",
    run: async (scene) => {
      const key = { keyId: "app.chacha" };
      await scene.call("store", "SigningService/NewKey", key);
      const { envelope } = await scene.answer<{ envelope: Envelope }>("store", ENCRYPT, {
        ...key,
        algorithm: CHACHA,
        plaintext,
      });
      expect(await scene.answer("store", DECRYPT, { ...key, envelope })).toEqual({ plaintext });
    },
  },
  {
    id: "decrypt.key-of-another",
    run: async (scene) => {
      const sealed = { keyId: "app.writable_aead", algorithm: AES, plaintext };
      const { envelope } = await scene.answer<{ envelope: Envelope }>("kms", ENCRYPT, sealed);
      const outcome = await scene.call("kms", DECRYPT, { keyId: "app.aead", envelope });
      expect(outcome).toMatchObject({ answers: [] });
      expect(["DECRYPT_FAILED", "BACKEND_ERROR"].some((reason) => hasReason(outcome.trailers, reason))).toBe(true);
    },
  },
];

function hasReason(trailers: Readonly<Record<string, string>>, reason: string): boolean {
  return Buffer.from(trailers["grpc-status-details-bin"] ?? "", "hex").includes(reason);
}

const encryptOrder: readonly Case[] = [
  fails(
    "encrypt.order.size-before-enum",
    "kms",
    ENCRYPT,
    { keyId: "app.p256", algorithm: 99, plaintext: zeros(MIB + 1) },
    tooLarge("encrypt", "plaintext: 1048577 bytes, at most 1048576 are allowed"),
  ),
  fails(
    "encrypt.order.enum-before-class",
    "kms",
    ENCRYPT,
    { keyId: "app.p256", algorithm: 99, plaintext },
    invalid("encrypt", "algorithm: unknown value 99"),
  ),
  fails(
    "encrypt.algorithm-unspecified",
    "kms",
    ENCRYPT,
    { keyId: "app.p256", plaintext },
    invalid("encrypt", "algorithm must be given"),
  ),
  fails(
    "encrypt.order.class-before-match",
    "kms",
    ENCRYPT,
    { keyId: "app.p256", algorithm: CHACHA, plaintext },
    invalid("encrypt", "key app.p256 is of class asymmetric, this needs class symmetric"),
  ),
  fails(
    "encrypt.order.match-before-backend-size",
    "kms",
    ENCRYPT,
    { keyId: "app.aead", algorithm: CHACHA, plaintext: zeros(4097) },
    invalid("encrypt", "algorithm: found CHACHA20_POLY1305, key app.aead is of type aes-256-gcm"),
  ),
  fails(
    "encrypt.backend-maximum",
    "kms",
    ENCRYPT,
    { keyId: "app.aead", algorithm: AES, plaintext: zeros(4097) },
    tooLarge("encrypt", "plaintext: 4097 bytes, at most 4096 are allowed"),
  ),
  fails(
    "encrypt.backend-minimum",
    "kms",
    ENCRYPT,
    { keyId: "app.aead", algorithm: AES },
    invalid("encrypt", "plaintext: 0 bytes, the key's backend takes at least 1"),
  ),
  fails(
    "encrypt.class-sealing",
    "store",
    ENCRYPT,
    { keyId: "app.sealing", algorithm: AES, plaintext },
    invalid("encrypt", "key app.sealing is of class sealing, this needs class symmetric"),
  ),
];

const decryptOrder: readonly Case[] = [
  fails(
    "decrypt.order.envelope-before-enum",
    "kms",
    DECRYPT,
    { keyId: "app.p256" },
    invalid("decrypt", "envelope must be given"),
  ),
  fails(
    "decrypt.order.enum-before-size",
    "kms",
    DECRYPT,
    { keyId: "app.p256", envelope: { alg: 99, ciphertext: zeros(MIB + 1) } },
    invalid("decrypt", "envelope.alg: unknown value 99"),
  ),
  fails(
    "decrypt.algorithm-unspecified",
    "kms",
    DECRYPT,
    { keyId: "app.aead", envelope: {} },
    invalid("decrypt", "envelope.alg must be given"),
  ),
  fails(
    "decrypt.order.size-before-class",
    "kms",
    DECRYPT,
    { keyId: "app.p256", envelope: { alg: AES, ciphertext: zeros(MIB + 1) } },
    tooLarge("decrypt", "envelope.ciphertext: 1048577 bytes, at most 1048576 are allowed"),
  ),
  fails(
    "decrypt.order.class-before-match",
    "kms",
    DECRYPT,
    { keyId: "app.p256", envelope: { alg: CHACHA, ciphertext: zeros(10) } },
    invalid("decrypt", "key app.p256 is of class asymmetric, this needs class symmetric"),
  ),
  fails(
    "decrypt.match",
    "kms",
    DECRYPT,
    { keyId: "app.aead", envelope: { alg: CHACHA, ciphertext: zeros(10) } },
    invalid("decrypt", "envelope.alg: found CHACHA20_POLY1305, key app.aead is of type aes-256-gcm"),
  ),
  fails(
    "decrypt.garbage",
    "kms",
    DECRYPT,
    { keyId: "app.aead", envelope: { alg: AES, ciphertext: zeros(200) } },
    decryptFailed,
  ),
];

export const encryption: readonly Case[] = [...works, ...encryptOrder, ...decryptOrder];
