import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { MintingService } from "@basil/proto";
import { jwtVerify } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type MemoryBackend, memoryBackend } from "../../test/memory-backend.js";
import { type ServedBroker, serveTestBroker } from "../../test/served-broker.js";
import type { SocketClient } from "../../test/socket-client.js";

const bytes = (text: string) => new TextEncoder().encode(text);
let backend: MemoryBackend;
let served: ServedBroker;
let client: SocketClient;

beforeEach(async () => {
  backend = memoryBackend();
  served = await serveTestBroker({ backends: [backend] });
  client = served.client;
});
afterEach(() => served[Symbol.asyncDispose]());

interface Mint {
  keyId?: string;
  subject?: string;
  ttl?: { seconds: bigint; nanos?: number };
  claims?: string | Uint8Array;
}
const mint = ({ keyId = "app.p256", subject = "sub", ttl, claims = "" }: Mint) =>
  client.call(MintingService, "mintJwt", {
    keyId,
    subject,
    ...(ttl && { ttl: { nanos: 0, ...ttl } }),
    extraClaimsJson: typeof claims === "string" ? bytes(claims) : claims,
  });
const publicKey = (path: string) =>
  createPublicKey(
    (backend.keys.get(path) as { publicKey: KeyObject }).publicKey.export({ type: "spki", format: "pem" }),
  );
const segment = (token: unknown, index: number) =>
  Buffer.from(String(token).split(".")[index] ?? "", "base64url").toString();

describe("MintingService.MintJwt", () => {
  it.for([
    ["app.ed", "EdDSA"],
    ["app.p256", "ES256"],
    ["app.p384", "ES384"],
    ["app.p521", "ES512"],
  ] as const)("signs with %s what jose verifies as %s", async ([keyId, alg]) => {
    const { token, expiresAt } = await mint({ keyId, ttl: { seconds: 60n }, claims: '{"aud":"api"}' });
    const { payload, protectedHeader } = await jwtVerify(String(token), publicKey(`alias/${keyId.slice(4)}`), {
      issuer: keyId,
      audience: "api",
      subject: "sub",
      algorithms: [alg],
    });
    expect(protectedHeader).toMatchObject({ alg, typ: "JWT", kid: expect.stringMatching(/^[\w-]{43}$/) });
    expect(payload.exp).toBe((payload.iat ?? 0) + 60);
    expect(expiresAt).toMatchObject({ seconds: BigInt(payload.exp ?? 0), nanos: 0 });
  });

  it("names the key that signed when the path was moved meanwhile, and no other for ever", async () => {
    const kid = (token: unknown) => JSON.parse(segment(token, 0)).kid;
    const usual = await mint({});
    const { publicKey: look } = { ...backend.transit! };
    let stale = 1;
    Object.assign(backend.transit!, {
      publicKey: async (...asked: Parameters<typeof look>) => {
        if (stale === 0) return look(...asked);
        stale -= 1;
        const moved = await look({ ...asked[0], path: "alias/other" }, asked[1]);
        return { ...moved, resource: "memory:alias/older" };
      },
    });
    const { token } = await mint({});
    expect(kid(token)).toBe(kid(usual.token));
    await jwtVerify(String(token), publicKey("alias/p256"));
    stale = Number.POSITIVE_INFINITY;
    await expect(mint({})).rejects.toMatchObject({ reason: "BACKEND_ERROR" });
  });

  it("never expires without a ttl, at once with none, and rounds a fraction up", async () => {
    const never = await mint({});
    expect(never.expiresAt).toBeUndefined();
    expect(JSON.parse(segment(never.token, 1))).not.toHaveProperty("exp");
    const now = JSON.parse(segment((await mint({ ttl: { seconds: 0n } })).token, 1));
    expect(now.exp).toBe(now.iat);
    const fraction = JSON.parse(segment((await mint({ ttl: { seconds: 1n, nanos: 1 } })).token, 1));
    expect(fraction.exp - fraction.iat).toBe(2);
  });

  it("writes members in order and numbers as they came", async () => {
    const { token } = await mint({ claims: '{"z":[1.0,{"b":1,"a":12345678901234567890}],"a":{"__proto__":1e3}}' });
    expect(segment(token, 0)).toMatch(/^\{"alg":"ES256","kid":"[\w-]{43}","typ":"JWT"\}$/);
    const { iat, jti } = JSON.parse(segment(token, 1));
    expect(segment(token, 1)).toBe(
      `{"a":{"__proto__":1e3},"iat":${iat},"iss":"app.p256","jti":"${jti}","sub":"sub","z":[1.0,{"a":12345678901234567890,"b":1}]}`,
    );
    const registered = `{"iat":${iat},"iss":"app.p256","sub":"sub"}`;
    expect(jti).toBe(createHash("sha512-256").update(registered).digest("base64url"));
  });

  it("takes an empty subject, and refuses none", async () => {
    expect(JSON.parse(segment((await mint({ subject: "" })).token, 1))).toMatchObject({ sub: "" });
    await expect(client.call(MintingService, "mintJwt", { keyId: "app.p256" })).rejects.toMatchObject({
      reason: "INVALID_REQUEST",
      message: expect.stringContaining("subject"),
      op: "mint",
    });
  });

  it.for([
    ["a list", "[]"],
    ["a number", "1"],
    ["no JSON", "{"],
    ["a reserved claim", '{"exp":1}'],
    ["a document nested too deep", `${'{"a":'.repeat(70)}1${"}".repeat(70)}`],
    ["bytes that are no UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d)],
    ["a byte order mark", "\ufeff{}"],
  ] as const)("refuses %s as claims", async ([, claims]) => {
    await expect(mint({ claims })).rejects.toMatchObject({ code: 3, reason: "INVALID_REQUEST", op: "mint" });
  });

  it.for([
    ["negative", { seconds: -1n }],
    ["of too many nanos", { seconds: 1n, nanos: 1_000_000_000 }],
    ["beyond the year 9999", { seconds: 253_402_300_799n }],
  ] as const)("refuses a ttl that is %s", async ([, ttl]) => {
    await expect(mint({ ttl })).rejects.toMatchObject({
      reason: "INVALID_REQUEST",
      message: expect.stringContaining("ttl"),
    });
  });

  it("refuses a key that cannot sign, and a caller that may not", async () => {
    await expect(mint({ keyId: "app.aead" })).rejects.toMatchObject({ reason: "INVALID_REQUEST" });
    await expect(mint({ keyId: "other.p256", ttl: { seconds: -1n } })).rejects.toMatchObject({ code: 7, op: "mint" });
  });
});

describe("a token whose signature the key did not make", () => {
  it("is withheld", async () => {
    Object.assign(backend.transit ?? {}, {
      sign: async () => ({ signature: new Uint8Array(64).fill(1), keyVersion: 1, resource: "memory:alias/p256" }),
    });
    await expect(mint({})).rejects.toMatchObject({ code: 13 });
  });
});
