import {
  AdminService,
  AeadService,
  EnvelopeAlgorithm,
  type GrpcMethod,
  grpcMethods,
  InvocationService,
  KemAlgorithm,
  MintingService,
  NatsJtiMode,
  NatsJwtType,
  NatsJwtValidationReason,
  NatsService,
  SecretService,
  SigningService,
} from "@basil/proto";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { beforeEach, describe, expect, it } from "vitest";
import { Client } from "./client.js";
import type { CallOptions, Transport } from "./transport.js";

const services = [
  AdminService,
  AeadService,
  InvocationService,
  MintingService,
  NatsService,
  SecretService,
  SigningService,
];
const bytes = Uint8Array.of(1, 2, 3);
const other = Uint8Array.of(4);

/** What was sent, and what comes back: both through the wire's own bytes. */
const sent: { path: string; request: Record<string, unknown> }[] = [];
let answer: Record<string, unknown> = {};
const transport = {
  async unary<Request, Response>(method: GrpcMethod<Request, Response>, request: Request): Promise<Response> {
    const decoded = method.requestDeserialize(method.requestSerialize(request));
    sent.push({ path: method.path, request: decoded as Record<string, unknown> });
    return Object.assign(method.responseDeserialize(Buffer.alloc(0)) as object, answer) as Response;
  },
  serverStream<Request, Response>(
    method: GrpcMethod<Request, Response>,
    _: Request,
    { timeoutMs }: CallOptions,
  ): AsyncIterable<Response> {
    sent.push({ path: method.path, request: { timeoutMs } });
    return ReadableStream.from<Response>([]);
  },
  async [Symbol.asyncDispose]() {},
} satisfies Transport;
const client = new Client(transport);
const last = () => sent.at(-1)?.request;

beforeEach(() => {
  sent.length = 0;
  answer = {};
});

describe("Client", () => {
  it("has a method for every method of the protocol", async () => {
    const envelope = { algorithm: "aes-256-gcm", keyVersion: 1, nonce: bytes, ciphertext: bytes } as const;
    const kemEnvelope = { ...envelope, kem: "x25519", encapsulatedKey: bytes } as const;
    const seed = { ed25519Seed: bytes };
    const calls: (() => Promise<unknown>)[] = [
      () => client.sign("k", bytes),
      () => client.verify("k", bytes, bytes),
      () => client.getPublicKey("k"),
      () => client.newKey("k", undefined),
      () => client.importKey("k", "ed25519", seed),
      () => client.importKeys([{ keyId: "k", keyType: "ed25519", material: seed }]),
      () => client.encrypt("k", bytes),
      () => client.decrypt("k", envelope),
      () => client.envelopes.wrap("k", bytes, { kem: "x25519" }),
      () => client.envelopes.unwrap("k", kemEnvelope),
      () => client.envelopes.unsealCose("k", bytes),
      () => client.getSecret("s"),
      () => client.setSecret("s", bytes),
      () => client.rotate("s"),
      () => client.listCatalog(),
      () => client.mintJwt("k", "sub"),
      () => client.issueCertificate("k", { commonName: "c", ttlSeconds: 60 }),
      () => client.nats.mintUser("k", "U"),
      () => client.nats.mintAccount("k", "A"),
      () => client.nats.mintOperator("k", undefined),
      () => client.nats.mintSigner("k", "A"),
      () => client.nats.mintServer("k", "N"),
      () => client.nats.mintCurve("k", "X"),
      () => client.nats.encryptCurve("k", "X", bytes),
      () => client.nats.decryptCurve("k", "X", bytes),
      () => client.nats.signJwt("k", {}),
      () => client.nats.validateJwt("t", []),
      () => client.invoke(bytes),
      () => client.status(),
      () => client.health(),
      () => client.readiness(),
      () => client.watch().next(),
      () => client.reload(),
      () => client.explain("s", "sign", "k"),
      () => client.revoke({ trustDomain: "d", jti: "j", expiresAtUnix: 1 }),
    ];
    // Some answers are empty here, and refused for it: that the request goes out is what counts.
    for (const call of calls) await call().catch(() => {});
    const methods = services.flatMap((service) => {
      const all: readonly { path: string }[] = Object.values(grpcMethods(service as typeof AdminService));
      return all.map(({ path }) => path);
    });
    expect(sent.map(({ path }) => path).sort()).toEqual(methods.sort());
  });

  it.for([
    ["none", {}, Number.POSITIVE_INFINITY],
    ["none, when it is undefined", { timeoutMs: undefined } as object, Number.POSITIVE_INFINITY],
    ["the one it is given", { timeoutMs: 5 }, 5],
  ] as const)("watches with a deadline only where it has one: %s", async ([, options, timeoutMs]) => {
    await client.watch(options).next();
    expect(last()).toEqual({ timeoutMs });
  });

  it("imports keys, one and several", async () => {
    answer = { keyId: "k", publicKey: bytes };
    expect(await client.importKey("k", "ecdsa-p256", { pkcs8: bytes })).toEqual({ keyId: "k", publicKey: bytes });
    expect(last()).toMatchObject({
      keyId: "k",
      keyType: 10,
      material: { material: { case: "pkcs8Der", value: bytes } },
    });
    answer = { keys: [{ keyId: "a", publicKey: bytes }] };
    const entry = { keyId: "a", keyType: "ed25519", material: { ed25519Seed: other } } as const;
    expect(await client.importKeys([entry])).toEqual([{ keyId: "a", publicKey: bytes }]);
    expect(last()).toMatchObject({
      entries: [{ keyType: 1, material: { material: { case: "ed25519Seed", value: other } } }],
    });
    await expect(client.importKey("k", "ed25519", {} as never)).rejects.toThrow(TypeError);
    await expect(client.importKey("k", "dsa" as never, { pkcs8: bytes })).rejects.toThrow(TypeError);
  });

  it("takes a certificate apart", async () => {
    answer = { certChainDer: [bytes], privateKeyDer: other, caChainDer: [other] };
    const subject = { commonName: "c", dnsNames: ["d"], ipAddresses: ["::1"], ttlSeconds: 60 };
    expect(await client.issueCertificate("k", subject)).toEqual({
      chain: [bytes],
      privateKey: other,
      caChain: [other],
    });
    expect(last()).toMatchObject({
      issuerKeyId: "k",
      commonName: "c",
      dnsSans: ["d"],
      ipSans: ["::1"],
      ttl: { seconds: 60n },
    });
  });

  it("relays a sealed call", async () => {
    answer = { message: other, responseSubject: "inbox" };
    expect(await client.invoke(bytes)).toEqual({ message: other, responseSubject: "inbox" });
    answer = { message: other };
    expect(await client.invoke(bytes)).toEqual({ message: other });
  });
});

describe("EnvelopeClient", () => {
  const message = {
    kemAlgorithm: KemAlgorithm.ML_KEM_768,
    envelopeAlgorithm: EnvelopeAlgorithm.CHACHA20_POLY1305,
    keyVersion: 2,
    encapsulatedKey: bytes,
    nonce: other,
    ciphertext: bytes,
  };

  it("gives an envelope that goes back as it came", async () => {
    answer = { envelope: message };
    const envelope = await client.envelopes.wrap("k", bytes, { kem: "ml-kem-768", algorithm: "chacha20-poly1305" });
    expect(last()).toMatchObject({ kemAlgorithm: message.kemAlgorithm, envelopeAlgorithm: message.envelopeAlgorithm });
    expect(envelope).toMatchObject({ kem: "ml-kem-768", algorithm: "chacha20-poly1305", keyVersion: 2 });
    answer = { plaintext: other };
    expect(await client.envelopes.unwrap("k", envelope, { aad: bytes })).toEqual(other);
    expect(last()).toMatchObject({ envelope: message, aad: bytes });
  });

  it.for([
    ["no envelope", undefined],
    ["an unknown encapsulation", { ...message, kemAlgorithm: 9 }],
    ["an unknown cipher", { ...message, envelopeAlgorithm: 0 }],
  ] as const)("takes %s for a fault of the broker", async ([, envelope]) => {
    answer = { envelope };
    await expect(client.envelopes.wrap("k", bytes, { kem: "x25519" })).rejects.toMatchObject({ code: "PROTOCOL" });
  });

  it("refuses names that are none", async () => {
    await expect(client.envelopes.wrap("k", bytes, { kem: "rsa" as never })).rejects.toThrow(TypeError);
  });
});

describe("NatsClient", () => {
  it("mints with all that a request may hold", async () => {
    answer = { token: "t", expiresAt: timestampFromMs(5000) };
    const token = { token: "t", expiresAt: new Date(5000) };
    const common = { name: "n", ttlSeconds: 60 };
    const publish = { allow: ["a"], deny: ["b"] };
    const subscribe = { allow: ["c"], deny: ["d"] };
    expect(await client.nats.mintUser("k", "U", { ...common, issuerAccount: "A", publish, subscribe })).toEqual(token);
    expect(last()).toMatchObject({
      keyId: "k",
      subjectUserNkey: "U",
      name: "n",
      ttl: { seconds: 60n },
      issuerAccount: "A",
      pubAllow: ["a"],
      pubDeny: ["b"],
      subAllow: ["c"],
      subDeny: ["d"],
    });
    expect(await client.nats.mintAccount("k", "A", { ...common, signingKeys: ["A2"] })).toEqual(token);
    expect(last()).toMatchObject({ subjectAccountNkey: "A", signingKeys: ["A2"] });
    const more = { signingKeys: ["O2"], accountServerUrl: "nats://x", systemAccount: "A" };
    await client.nats.mintOperator("k", "O", { ...common, ...more });
    expect(last()).toMatchObject({ subjectOperatorNkey: "O", ...more });
    await client.nats.mintOperator("k", undefined);
    expect(last()?.subjectOperatorNkey).toBeUndefined();
    await expect(client.nats.mintServer("k", "N", { ttlSeconds: 0.5 })).rejects.toThrow(TypeError);
  });

  it("signs claims as they are written", async () => {
    await client.nats.signJwt("k", '{"n":12345678901234567890}', {
      expectedType: "curve",
      expiresAt: new Date(2000),
      issuedAt: new Date(1000),
      jti: "rewrite",
    });
    expect(last()).toMatchObject({
      claimsJson: new TextEncoder().encode('{"n":12345678901234567890}'),
      expectedType: NatsJwtType.CURVE,
      expiresAt: { seconds: 2n },
      issuedAt: { seconds: 1n },
      jtiMode: NatsJtiMode.REWRITE,
    });
    await client.nats.signJwt("k", { sub: "U" });
    expect(last()).toMatchObject({ expectedType: 0, jtiMode: NatsJtiMode.REQUIRE_VALID });
  });

  it("reads a judgement", async () => {
    const { VALID, EXPIRED } = NatsJwtValidationReason;
    answer = { valid: true, reason: VALID, subject: "U", issuer: "A", jwtType: NatsJwtType.USER, expiresAtUnix: 9n };
    expect(await client.nats.validateJwt("t", [{ keyId: "k" }, { nkey: "A" }])).toEqual({
      valid: true,
      reason: "valid",
      subject: "U",
      issuer: "A",
      type: "user",
      expiresAtUnix: 9,
    });
    expect(last()).toMatchObject({
      allowedSigners: [{ signer: { case: "keyId", value: "k" } }, { signer: { case: "natsPublicKey", value: "A" } }],
    });
    answer = { reason: EXPIRED, matchedSignerKeyId: "k", issuedAtUnix: 3n };
    expect(await client.nats.validateJwt("t", [])).toMatchObject({
      valid: false,
      reason: "expired",
      matchedSigner: "k",
      issuedAtUnix: 3,
    });
    answer = { reason: 31 };
    expect((await client.nats.validateJwt("t", [])).reason).toBe("unknown");
  });
});
