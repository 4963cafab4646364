// How many requests 10,000 mixed operations send to KMS, by what was asked for; verification by KMS and by the cached
// public key. The order is drawn from a fixed seed, 32 operations are in flight, and the emulator counts what arrives.
import { startKmsEmulator } from "@basil/aws-kms-emulator";
import { awsKms } from "@basil/backend-aws-kms";
import type { CallContext, KeyRef } from "@basil/core";
import { writeResult } from "./harness/result.ts";

const OPERATIONS = 10_000;
const IN_FLIGHT = 32;
const KINDS = ["sign", "verify", "publicKey", "encrypt", "decrypt"] as const;
type Kind = (typeof KINDS)[number];

const signing: KeyRef = { name: "signing", path: "alias/basil/signing", keyType: "ecdsa-p256" };
const sealing: KeyRef = { name: "sealing", path: "alias/basil/sealing", keyType: "aes-256-gcm" };
const message = new TextEncoder().encode("a message of ordinary length");
const call: CallContext = { signal: new AbortController().signal, requestId: "bench" };

/** Numerical Recipes' linear congruential generator: the same order in every run. */
function* kinds(count: number): Generator<Kind> {
  for (let state = 1, left = count; left > 0; left -= 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield KINDS[Math.floor((state / 2 ** 32) * KINDS.length)] ?? "sign";
  }
}

async function measure(verify: "kms" | "local") {
  const requests: Record<string, number> = {};
  await using emulator = await startKmsEmulator({
    keys: [
      { spec: "ECC_NIST_P256", aliases: [signing.path] },
      { spec: "SYMMETRIC_DEFAULT", aliases: [sealing.path] },
    ],
    callLog: {
      capacity: 1,
      onCall: ({ operation }) => {
        requests[operation] = (requests[operation] ?? 0) + 1;
      },
    },
  });
  const { region, endpoint, rootCredentials: credentials } = emulator;
  await using backend = awsKms({ region, endpoint, credentials, verify });
  const { transit } = backend;
  if (transit === undefined) throw new Error("no transit engine");
  const { signature } = await transit.sign(signing, message, call);
  const { envelope } = await transit.encrypt(sealing, message, undefined, call);
  await transit.publicKey(signing, call);
  const beforeTheCount = { ...requests };
  for (const operation of Object.keys(requests)) requests[operation] = 0;

  const run: Readonly<Record<Kind, () => Promise<unknown>>> = {
    sign: () => transit.sign(signing, message, call),
    verify: async () => {
      if (!(await transit.verify(signing, message, signature, call)).valid) throw new Error("a signature was refused");
    },
    publicKey: () => transit.publicKey(signing, call),
    encrypt: () => transit.encrypt(sealing, message, undefined, call),
    decrypt: () => transit.decrypt(sealing, envelope, undefined, call),
  };
  const operations: Record<Kind, number> = { sign: 0, verify: 0, publicKey: 0, encrypt: 0, decrypt: 0 };
  const order = kinds(OPERATIONS);
  const lane = async (): Promise<void> => {
    for (const kind of order) {
      operations[kind] += 1;
      await run[kind]();
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  const perOperation = {
    sign: (requests.Sign ?? 0) / operations.sign,
    verify: (requests.Verify ?? 0) / operations.verify,
    publicKey: (requests.GetPublicKey ?? 0) / operations.publicKey,
    encrypt: (requests.Encrypt ?? 0) / operations.encrypt,
    decrypt: (requests.Decrypt ?? 0) / operations.decrypt,
  };
  return { verify, beforeTheCount, operations, requests, perOperation };
}

writeResult("kms-calls", {
  unit: "requests to KMS",
  operations: OPERATIONS,
  results: [await measure("kms"), await measure("local")],
});
