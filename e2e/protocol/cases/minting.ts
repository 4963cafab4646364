import { createHash } from "node:crypto";
import { compactVerify, importJWK } from "jose";
import { expect } from "vitest";
import {
  base64,
  type Case,
  expectFailure,
  fails,
  fromBase64,
  invalid,
  type Scene,
  tooLarge,
  unsupported,
  zeros,
} from "../case.js";

const MINT = "MintingService/MintJwt";
const MIB = 1_048_576;
const subject = "spiffe-less subject";
const object = base64('{"aud":"api"}');
const RESERVED = ["iss", "iat", "exp", "jti", "sub", "nbf"];

const CURVES = {
  "app.p256": ["ES256", "P-256"],
  "app.p384": ["ES384", "P-384"],
  "app.p521": ["ES512", "P-521"],
} as const;

/** The key as a JWK, from what GetPublicKey gives: 32 raw bytes, or the point of SEC 1. */
async function jwkOf(
  scene: Scene,
  keyId: string,
): Promise<{ alg: string; raw: Uint8Array; jwk: Record<string, string> }> {
  const { publicKey } = await scene.answer("kms", "SigningService/GetPublicKey", { keyId });
  const raw = fromBase64(publicKey!);
  const url = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
  const known = (CURVES as Readonly<Record<string, readonly [string, string]>>)[keyId];
  if (known === undefined) return { alg: "EdDSA", raw, jwk: { kty: "OKP", crv: "Ed25519", x: url(raw) } };
  const [alg, crv] = known;
  const half = (raw.length - 1) / 2;
  return { alg, raw, jwk: { kty: "EC", crv, x: url(raw.subarray(1, 1 + half)), y: url(raw.subarray(1 + half)) } };
}

async function verifies(scene: Scene, keyId: string): Promise<void> {
  const before = Math.floor(Date.now() / 1000);
  const minted = await scene.answer("kms", MINT, { keyId, subject, ttl: "1.5s", extraClaimsJson: object });
  const { alg, raw, jwk } = await jwkOf(scene, keyId);
  const kid = createHash("sha256").update(`${alg}\0`).update(raw).digest("base64url");
  const { payload, protectedHeader } = await compactVerify(minted.token!, await importJWK(jwk, alg));
  expect(protectedHeader).toEqual({ alg, kid, typ: "JWT" });
  const claims = JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>;
  expect(claims).toEqual({
    aud: "api",
    exp: (claims.iat as number) + 2,
    iat: expect.any(Number),
    iss: keyId,
    jti: expect.stringMatching(/^[\w-]{43}$/),
    sub: subject,
  });
  expect(Object.keys(claims)).toEqual(Object.keys(claims).sort());
  expect(claims.iat).toBeGreaterThanOrEqual(before);
  expect(Date.parse(minted.expiresAt!)).toBe((claims.exp as number) * 1000);
}

export const minting: readonly Case[] = [
  { id: "mint-jwt.eddsa", run: (scene) => verifies(scene, "app.ed") },
  { id: "mint-jwt.es256", run: (scene) => verifies(scene, "app.p256") },
  { id: "mint-jwt.es384", run: (scene) => verifies(scene, "app.p384") },
  { id: "mint-jwt.es512", run: (scene) => verifies(scene, "app.p521") },
  { id: "mint-jwt.nats-issuer", run: (scene) => verifies(scene, "app.issuer") },
  {
    id: "mint-jwt.without-ttl",
    run: async (scene) => {
      const minted = await scene.answer("kms", MINT, { keyId: "app.p256", subject: "" });
      expect(minted).toEqual({ token: expect.any(String) });
      const claims = JSON.parse(Buffer.from(minted.token!.split(".")[1]!, "base64url").toString());
      expect(claims).not.toHaveProperty("exp");
      expect(claims.sub).toBe("");
    },
  },
  fails(
    "mint-jwt.order.ttl-before-claims",
    "kms",
    MINT,
    { keyId: "app.p256", ttl: "-1s", extraClaimsJson: base64("[") },
    invalid("mint", "ttl must not be negative, its nanos from 0 to 999,999,999"),
  ),
  fails(
    "mint-jwt.order.claims-before-subject",
    "kms",
    MINT,
    { keyId: "app.p256", extraClaimsJson: base64("[]") },
    invalid("mint", "extra_claims_json is not a JSON object in UTF-8 with at most 1,024 members and 64 levels"),
  ),
  fails(
    "mint-jwt.order.subject-before-class",
    "kms",
    MINT,
    { keyId: "app.aead" },
    invalid("mint", "subject must be given"),
  ),
  fails(
    "mint-jwt.class",
    "kms",
    MINT,
    { keyId: "app.aead", subject },
    invalid("mint", "key app.aead is of class symmetric, this needs class asymmetric"),
  ),
  fails(
    "mint-jwt.claims-size",
    "kms",
    MINT,
    { keyId: "app.p256", subject, extraClaimsJson: zeros(MIB + 1) },
    tooLarge("mint", "extra_claims_json: 1048577 bytes, at most 1048576 are allowed"),
  ),
  {
    id: "mint-jwt.reserved-claims",
    run: async (scene) => {
      for (const name of RESERVED) {
        const extraClaimsJson = base64(JSON.stringify({ [name]: 1 }));
        const outcome = await scene.call("kms", MINT, { keyId: "app.p256", subject, extraClaimsJson });
        expectFailure(outcome, invalid("mint", `extra_claims_json must not set ${name}`));
      }
    },
  },
  {
    id: "mint-jwt.backend-maximum",
    run: async (scene) => {
      const extraClaimsJson = base64(JSON.stringify({ long: "x".repeat(4096) }));
      const outcome = await scene.call("kms", MINT, { keyId: "app.ed", subject, extraClaimsJson });
      expect(outcome).toMatchObject({
        code: "RESOURCE_EXHAUSTED",
        message: expect.stringMatching(/^claims: \d+ bytes, at most 4096 are allowed$/),
      });
    },
  },
  fails(
    "mint-jwt.key-not-found",
    "kms",
    MINT,
    { keyId: "app.gone", subject },
    {
      code: "INTERNAL",
      reason: "INTERNAL",
      op: "mint",
      message: "key not found in its backend",
    },
  ),
  fails(
    "mint-jwt.unsupported-algorithm",
    "store",
    MINT,
    { keyId: "app.mldsa", subject },
    {
      code: "UNIMPLEMENTED",
      reason: "UNSUPPORTED_ALGORITHM",
      op: "mint",
      message: "a key of type ml-dsa-65 signs no JWT",
    },
  ),
  fails(
    "mint-jwt.engine",
    "store",
    MINT,
    { keyId: "app.kv2_ed", subject },
    unsupported("mint", "key app.kv2_ed is kept by engine kv2, which does not offer this"),
  ),
];
