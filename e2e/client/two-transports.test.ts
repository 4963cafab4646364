import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type KmsEmulator, startKmsEmulator } from "@basil/aws-kms-emulator";
import { awsKms } from "@basil/backend-aws-kms";
import { type Broker, createBroker } from "@basil/broker";
import { parseCatalog } from "@basil/catalog";
import { type Client, connect, connectEmbedded, isClientError } from "@basil/client";
import { parsePolicy } from "@basil/policy";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policyOfMe } from "../policy-of-me.js";

const key = (path: string, keyType: string) => ({
  class: keyType === "aes-256-gcm" ? "symmetric" : "asymmetric",
  keyType,
  backend: "kms",
  path: `alias/${path}`,
  writable: false,
  description: path,
});
const catalog = {
  schemaVersion: 1,
  backends: { kms: { kind: "aws-kms", addr: "aws-kms:us-east-1", engines: ["transit"] } },
  keys: {
    "app.p256": key("p256", "ecdsa-p256"),
    "app.ed": key("ed", "ed25519"),
    "app.aead": key("aead", "aes-256-gcm"),
    "other.p256": key("other", "ecdsa-p256"),
  },
};
const policy = policyOfMe({ id: "all-of-app", subjects: ["me"], action: ["*"], target: ["app.*"] });
const me = { kind: "unix", uid: process.geteuid?.() ?? 0, gid: null, groups: null, pid: process.pid } as const;

let folder: string;
let emulator: KmsEmulator;
let broker: Broker;
let overSocket: Client;
let inProcess: Client;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-two-transports-"));
  const spec = (name: string, spec: "ECC_NIST_P256" | "ECC_NIST_EDWARDS25519" | "SYMMETRIC_DEFAULT") => ({
    spec,
    aliases: [`alias/${name}`],
  });
  emulator = await startKmsEmulator({
    keys: [
      spec("p256", "ECC_NIST_P256"),
      spec("ed", "ECC_NIST_EDWARDS25519"),
      spec("aead", "SYMMETRIC_DEFAULT"),
      spec("other", "ECC_NIST_P256"),
    ],
  });
  const { endpoint, region, rootCredentials: credentials } = emulator;
  broker = await createBroker({
    catalog: parseCatalog(JSON.stringify(catalog)),
    policy: parsePolicy(JSON.stringify(policy)),
    backends: [awsKms({ id: "kms", region, endpoint, credentials })],
  });
  await broker.listen({ path: join(folder, "s") });
  overSocket = await connect(join(folder, "s"));
  inProcess = connectEmbedded(broker.transport(me));
});
afterAll(async () => {
  await overSocket?.[Symbol.asyncDispose]();
  await inProcess?.[Symbol.asyncDispose]();
  await broker?.[Symbol.asyncDispose]();
  await emulator?.close();
  await rm(folder, { recursive: true });
});

/** What a program may pass, right and wrong; TypeScript would refuse some of it. */
const any = <T>(...values: readonly unknown[]) => fc.constantFrom(...values) as fc.Arbitrary<T>;
const keyId = any<string>("app.p256", "app.ed", "app.aead", "other.p256", "nowhere", "", "\ud800", "k".repeat(600), 5);
const bytes = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  any<Uint8Array>(new Uint8Array(4096), new Uint8Array(4097), new Uint8Array(64).fill(1), "text", undefined, [1, 2]),
);
const timeoutMs = any<number>(20_000, 20_000, 20_000, Number.POSITIVE_INFINITY, 3e9, 1e300, 0, -1, Number.NaN, "5");
const signal = any<AbortSignal>(undefined, undefined, undefined, AbortSignal.abort(new Error("given up")));
const options = fc.record({ timeoutMs, signal }, { requiredKeys: [] });
const version = any<number>(0, 1, 2, -1, 1.5, 2 ** 32, "1");
const envelope = fc.record({
  algorithm: any<"aes-256-gcm">("aes-256-gcm", "chacha20-poly1305", "rot13"),
  keyVersion: version,
  nonce: bytes,
  ciphertext: bytes,
});

type Call = (client: Client) => Promise<unknown>;
/** A call by its name; of an answer that is another each time, what stays the same. */
const call: fc.Arbitrary<readonly [name: string, call: Call]> = fc.oneof(
  fc
    .tuple(keyId, bytes, options)
    .map(([id, m, o]) => ["sign", async (c: Client) => shapeOf(id, await c.sign(id, m, o))] as const),
  fc
    .tuple(keyId, bytes, bytes, options)
    .map(([id, m, s, o]) => ["verify", (c: Client) => c.verify(id, m, s, o)] as const),
  fc
    .tuple(keyId, options, version)
    .map(([id, o, v]) => ["getPublicKey", (c: Client) => c.getPublicKey(id, { ...o, version: v })] as const),
  fc.tuple(keyId, bytes, bytes, options).map(
    ([id, p, aad, o]) =>
      [
        "encrypt",
        async (c: Client) => {
          const { ciphertext, ...rest } = await c.encrypt(id, p, { ...o, aad });
          return {
            ...rest,
            length: ciphertext.length,
            opened: await opposite(c).decrypt(id, { ciphertext, ...rest }, { aad }),
          };
        },
      ] as const,
  ),
  fc
    .tuple(keyId, envelope, bytes, options)
    .map(([id, e, aad, o]) => ["decrypt", (c: Client) => c.decrypt(id, e, { ...o, aad })] as const),
  fc
    .tuple(keyId, options)
    .map(([prefix, o]) => ["listCatalog", (c: Client) => c.listCatalog({ ...o, prefix })] as const),
  options.map((o) => ["status", (c: Client) => c.status(o)] as const),
  options.map((o) => ["readiness", (c: Client) => c.readiness(o)] as const),
  fc.tuple(keyId, options).map(([id, o]) => ["newKey", (c: Client) => c.newKey(id, "ecdsa-p256", o)] as const),
  fc.tuple(keyId, options).map(([id, o]) => ["rotate", (c: Client) => c.rotate(id, o)] as const),
  fc.tuple(keyId, bytes, options).map(([id, v, o]) => ["setSecret", (c: Client) => c.setSecret(id, v, o)] as const),
  fc
    .tuple(keyId, version, options)
    .map(([id, v, o]) => ["getSecret", (c: Client) => c.getSecret(id, { ...o, version: v })] as const),
  fc.tuple(keyId, version, options).map(
    ([id, ttlSeconds, o]) =>
      [
        "mintJwt",
        async (c: Client) => {
          const { token, expiresAt } = await c.mintJwt(id, "s", { ...o, ttlSeconds });
          return { length: token.length, ends: expiresAt !== undefined };
        },
      ] as const,
  ),
  fc
    .tuple(version, options)
    .map(
      ([expiresAtUnix, o]) =>
        ["revoke", (c: Client) => c.revoke({ trustDomain: "d", jti: "j", expiresAtUnix }, o)] as const,
    ),
  options.map((o) => ["reload", (c: Client) => c.reload({ ...o, check: true })] as const),
  fc.tuple(keyId, keyId, options).map(([op, id, o]) => ["explain", (c: Client) => c.explain("me", op, id, o)] as const),
);

/** Ed25519 signs alike each time (RFC 8032 §5.1.6), ECDSA with a number of its own. */
const shapeOf = (id: string, signature: Uint8Array) => (id === "app.ed" ? signature : signature.length);
const opposite = (client: Client) => (client === overSocket ? inProcess : overSocket);

/** All that a program can tell a failure by. Its cause is a transport's own, and the name of a request is its own, too. */
async function outcome(run: Promise<unknown>): Promise<unknown> {
  try {
    return { value: await run };
  } catch (error) {
    if (!isClientError(error)) return { name: (error as Error).name, message: (error as Error).message };
    const { code, message, details, reason, op, retryable, retryAfterMs, requestId } = error;
    // Given up before it began, or while it ran: which of the two is the transport's own to say.
    if (code === "CANCELLED") return { code, retryable };
    return { code, message, details, reason, op, retryable, retryAfterMs, named: requestId !== undefined };
  }
}

describe("the two transports of a client", () => {
  it("give the same results and the same errors for the same calls", async () => {
    await fc.assert(
      fc.asyncProperty(call, async ([name, call]) => {
        const [socket, process] = await Promise.all([outcome(call(overSocket)), outcome(call(inProcess))]);
        expect(process, name).toEqual(socket);
      }),
      { numRuns: 800 },
    );
  });
});
