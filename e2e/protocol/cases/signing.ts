import { createPublicKey, verify as verifyWith } from "node:crypto";
import { expect } from "vitest";
import {
  base64,
  type Case,
  expectFailure,
  fails,
  fromBase64,
  invalid,
  type Scene,
  succeeds,
  tooLarge,
  unsupported,
  zeros,
} from "../case.js";
import { DISABLED } from "../documents.js";

const SIGN = "SigningService/Sign";
const VERIFY = "SigningService/Verify";
const PUBLIC_KEY = "SigningService/GetPublicKey";
const NEW_KEY = "SigningService/NewKey";
const MIB = 1_048_576;
const message = base64("what is signed, in full and never as a digest");
const backendError = (op: string) => ({
  code: "INTERNAL",
  reason: "BACKEND_ERROR",
  op,
  message: "backend operation failed",
});
const noKey = (op: string) => ({ code: "INTERNAL", reason: "INTERNAL", op, message: "key not found in its backend" });
const notOffered = (op: string) => ({
  code: "UNIMPLEMENTED",
  reason: "UNSUPPORTED_ALGORITHM",
  op,
  message: "the key's backend does not offer this for its key type",
});

/** SPKI DER around the key as the protocol carries it (RFC 5480, RFC 8410). */
const SPKI_HEADS = {
  "app.ed": "302a300506032b6570032100",
  "app.p256": "3059301306072a8648ce3d020106082a8648ce3d030107034200",
  "app.p384": "3076301006072a8648ce3d020106052b81040022036200",
  "app.p521": "30819b301006072a8648ce3d020106052b8104002303818600",
} as const;

async function roundTrip(
  scene: Scene,
  keyId: keyof typeof SPKI_HEADS,
  [keyType, bytes, hash]: readonly [string, number, string | undefined],
) {
  const { publicKey, ...described } = await scene.answer("kms", PUBLIC_KEY, { keyId });
  expect(described).toEqual({ keyId, keyType, version: 1 });
  const { signature } = await scene.answer("kms", SIGN, { keyId, message });
  expect(fromBase64(signature!)).toHaveLength(bytes);
  const der = Buffer.concat([Buffer.from(SPKI_HEADS[keyId], "hex"), fromBase64(publicKey!)]);
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  const text = fromBase64(message);
  expect(verifyWith(hash, text, { key, dsaEncoding: "ieee-p1363" }, fromBase64(signature!))).toBe(true);
  expect(await scene.answer("kms", VERIFY, { keyId, message, signature })).toEqual({ valid: true });
  const other = { keyId, message: base64("another"), signature };
  expect(await scene.answer("kms", VERIFY, other)).toEqual({ valid: false });
}

const works: readonly Case[] = [
  { id: "sign.ed25519", run: (scene) => roundTrip(scene, "app.ed", ["KEY_TYPE_ED25519", 64, undefined]) },
  { id: "sign.p256", run: (scene) => roundTrip(scene, "app.p256", ["KEY_TYPE_ECDSA_P256", 64, "sha256"]) },
  { id: "sign.p384", run: (scene) => roundTrip(scene, "app.p384", ["KEY_TYPE_ECDSA_P384", 96, "sha384"]) },
  { id: "sign.p521", run: (scene) => roundTrip(scene, "app.p521", ["KEY_TYPE_ECDSA_P521", 132, "sha512"]) },
  {
    id: "sign.algorithm-is-advisory",
    run: async (scene) => {
      const request = { keyId: "app.p256", message, algorithm: "SIGNING_ALGORITHM_ML_DSA_87" };
      expect(fromBase64((await scene.answer("kms", SIGN, request)).signature!)).toHaveLength(64);
    },
  },
  {
    id: "sign.empty-and-at-cap",
    run: async (scene) => {
      for (const length of [0, 100_000, MIB]) {
        const text = zeros(length);
        const { signature } = await scene.answer("kms", SIGN, { keyId: "app.p256", message: text });
        const verified = await scene.answer("kms", VERIFY, { keyId: "app.p256", message: text, signature });
        expect(verified).toEqual({ valid: true });
      }
    },
  },
  {
    id: "get-public-key.by-class",
    run: async (scene) => {
      await scene.call("store", NEW_KEY, { keyId: "app.p256", keyType: 10 });
      expectFailure(
        await scene.call("store", PUBLIC_KEY, { keyId: "other.public" }),
        unsupported("get_public_key", "key other.public is kept by engine kv2, which does not offer this"),
      );
    },
  },
];

const signOrder: readonly Case[] = [
  fails(
    "sign.order.enum-before-size",
    "store",
    SIGN,
    { keyId: "app.password", algorithm: 99, message: zeros(MIB + 1) },
    invalid("sign", "algorithm: unknown value 99"),
  ),
  fails(
    "sign.order.size-before-class",
    "store",
    SIGN,
    { keyId: "app.password", message: zeros(MIB + 1) },
    tooLarge("sign", "message: 1048577 bytes, at most 1048576 are allowed"),
  ),
  fails(
    "sign.class",
    "kms",
    SIGN,
    { keyId: "app.aead", message },
    invalid("sign", "key app.aead is of class symmetric, this needs class asymmetric"),
  ),
  fails(
    "sign.engine",
    "store",
    SIGN,
    { keyId: "app.kv2_ed", message },
    unsupported("sign", "key app.kv2_ed is kept by engine kv2, which does not offer this"),
  ),
  fails(
    "sign.backend-minimum",
    "kms",
    SIGN,
    { keyId: "app.ed", message: "" },
    invalid("sign", "message: 0 bytes, the key's backend takes at least 1"),
  ),
  fails(
    "sign.backend-maximum",
    "kms",
    SIGN,
    { keyId: "app.ed", message: zeros(4097) },
    tooLarge("sign", "message: 4097 bytes, at most 4096 are allowed"),
  ),
  fails("sign.key-not-found", "kms", SIGN, { keyId: "app.gone", message }, noKey("sign")),
  fails("sign.access-denied", "kms", SIGN, { keyId: "app.denied", message }, backendError("sign")),
  fails("sign.unsupported-algorithm", "store", SIGN, { keyId: "app.mldsa", message }, notOffered("sign")),
  {
    id: "sign.disabled",
    run: async (scene) => {
      const { keys } = scene.worlds.stack.emulator;
      keys.setState(DISABLED, "Disabled");
      expectFailure(await scene.call("kms", SIGN, { keyId: "app.disabled", message }), backendError("sign"));
      keys.setState(DISABLED, "Enabled");
      expect((await scene.call("kms", SIGN, { keyId: "app.disabled", message })).code).toBe("OK");
    },
  },
  {
    id: "sign.backend-unavailable",
    run: async (scene) => {
      const { faults } = scene.worlds.stack.emulator;
      faults.add({ fault: { kind: "error" }, operation: "Sign", times: Number.POSITIVE_INFINITY });
      const failed = await scene.call("kms", SIGN, { keyId: "app.p384", message });
      faults.clear();
      expectFailure(failed, {
        code: "UNAVAILABLE",
        reason: "BACKEND_UNAVAILABLE",
        op: "sign",
        message: "backend unavailable",
        retry: expect.stringMatching(/^\d+$/) as unknown as string,
      });
      expect((await scene.call("kms", SIGN, { keyId: "app.p384", message })).code).toBe("OK");
    },
  },
];

const verifyOrder: readonly Case[] = [
  fails(
    "verify.order.enum-before-size",
    "store",
    VERIFY,
    { keyId: "app.password", algorithm: 99, message: zeros(MIB + 1) },
    invalid("verify", "algorithm: unknown value 99"),
  ),
  fails(
    "verify.order.size-before-class",
    "store",
    VERIFY,
    { keyId: "app.password", message: zeros(MIB + 1) },
    tooLarge("verify", "message: 1048577 bytes, at most 1048576 are allowed"),
  ),
  fails(
    "verify.signature-size",
    "store",
    VERIFY,
    { keyId: "app.password", signature: zeros(MIB + 1) },
    tooLarge("verify", "signature: 1048577 bytes, at most 1048576 are allowed"),
  ),
  fails(
    "verify.class",
    "kms",
    VERIFY,
    { keyId: "app.aead", message },
    invalid("verify", "key app.aead is of class symmetric, this needs class asymmetric or public"),
  ),
  fails(
    "verify.malformed-signature",
    "kms",
    VERIFY,
    { keyId: "app.p256", message, signature: zeros(63) },
    invalid("verify", "signature: its length is 63, ecdsa-p256 has 64 bytes"),
  ),
  succeeds(
    "verify.false-is-an-answer",
    "kms",
    VERIFY,
    { keyId: "app.ed", message, signature: zeros(64) },
    { valid: false },
  ),
  fails("verify.key-not-found", "kms", VERIFY, { keyId: "app.gone", message, signature: zeros(64) }, noKey("verify")),
];

const publicKeyChecks: readonly Case[] = [
  fails(
    "get-public-key.class",
    "kms",
    PUBLIC_KEY,
    { keyId: "app.aead" },
    invalid("get_public_key", "key app.aead is of class symmetric, this needs class asymmetric or public or sealing"),
  ),
  fails(
    "get-public-key.x25519",
    "store",
    PUBLIC_KEY,
    { keyId: "app.sealing" },
    invalid("get_public_key", "key app.sealing is of type x25519"),
  ),
  fails(
    "get-public-key.ml-kem",
    "store",
    PUBLIC_KEY,
    { keyId: "app.mlkem" },
    unsupported("get_public_key", "key app.mlkem is kept by engine kv2, which does not offer this"),
  ),
  fails("get-public-key.key-not-found", "kms", PUBLIC_KEY, { keyId: "app.gone" }, noKey("get_public_key")),
  fails("get-public-key.access-denied", "kms", PUBLIC_KEY, { keyId: "app.denied" }, backendError("get_public_key")),
  fails(
    "get-public-key.unknown-version",
    "kms",
    PUBLIC_KEY,
    { keyId: "app.p256", version: 7 },
    noKey("get_public_key"),
  ),
  succeeds("get-public-key.version", "kms", PUBLIC_KEY, { keyId: "app.p256", version: 1 }, { version: 1 }),
];

export const signing: readonly Case[] = [...works, ...signOrder, ...verifyOrder, ...publicKeyChecks];
