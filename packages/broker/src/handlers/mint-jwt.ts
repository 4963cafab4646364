import { createHash } from "node:crypto";
import { type KeyEntry, type KeyType, svidKind } from "@basil/catalog";
import { type CredentialResponse, CredentialResponseSchema, type MintJwtRequest } from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Call } from "../request/call.js";
import { requireClass, requireInRange, requireSize, type TransitKey, transitKey } from "../request/checks.js";
import { signWith } from "../request/sign-with.js";
import { type JsonMembers, readClaims, sortedJson } from "./claims-json.js";
import { publicKeyToWire } from "./public-key.js";

/** RFC 7518 §3.1, RFC 8037 §3.1. */
const ALGORITHMS: Readonly<Partial<Record<KeyType, string>>> = {
  ed25519: "EdDSA",
  "ed25519-nkey": "EdDSA",
  "rsa-2048": "RS256",
  "ecdsa-p256": "ES256",
  "ecdsa-p384": "ES384",
  "ecdsa-p521": "ES512",
};
/** The second is of the key that signed the first, unless the path is moved once more. */
const MAX_SIGNATURES = 3;
const RESERVED = ["iss", "iat", "exp", "jti", "sub", "nbf"];
/** 9999-12-31T23:59:59Z, the last second of a protobuf Timestamp. */
const LAST_SECOND = 253_402_300_799;

/**
 * Signs a JWT (RFC 7519). `iss` is the key's name in the catalog, `iat` now, `exp` so much later as `ttl` says, `jti` a
 * digest of these and `sub`. A key that issues SVIDs signs no other token: its subjects are identities of a trust domain.
 */
export async function mintJwt(request: MintJwtRequest, call: Call): Promise<CredentialResponse> {
  const { keyId, subject } = request;
  const entry = call.authorize("mint", keyId);
  if (svidKind(entry) !== undefined) throw call.refuse("mint", keyId, "svid_issuer_mint");
  const ttl = ttlSeconds(call, request.ttl);
  requireSize(call, "extra_claims_json", request.extraClaimsJson, call.services.limits.maxPayloadBytes);
  const extras = extraClaims(call, request.extraClaimsJson);
  if (subject === undefined) throw call.fail("INVALID_REQUEST", "subject must be given");
  requireClass(call, entry, "asymmetric");
  const { ref, backend, transit } = transitKey(call, entry);
  const alg = ALGORITHMS[ref.keyType];
  if (alg === undefined) throw call.fail("UNSUPPORTED_ALGORITHM", `a key of type ${ref.keyType} signs no JWT`);

  const iat = Math.floor(Date.now() / 1000);
  const exp = ttl === undefined ? undefined : iat + ttl;
  if (exp !== undefined && exp > LAST_SECOND) throw call.fail("INVALID_REQUEST", "ttl: ends after the year 9999");
  const registered = { iss: keyId, iat, sub: subject, ...(exp === undefined ? {} : { exp }) };
  const claims = part({ ...registered, jti: tokenId(registered), ...extras });
  const token = await signToken(call, entry, { ref, backend, transit }, alg, claims);
  return create(CredentialResponseSchema, {
    token,
    ...(exp === undefined ? {} : { expiresAt: timestampFromMs(exp * 1000) }),
  });
}

/** `kid` names the key that signs, also when the catalog's path comes to lead to another one meanwhile. */
async function signToken(call: Call, entry: KeyEntry, key: TransitKey, alg: string, claims: string): Promise<string> {
  const { ref, backend, transit } = key;
  for (let attempt = 1; attempt <= MAX_SIGNATURES; attempt++) {
    const { kid, ...named } = await call.ask(async (context) => {
      const { publicKey, ...from } = await transit.publicKey(ref, context);
      return { ...from, kid: keyId256(alg, publicKeyToWire(publicKey, ref.keyType)) };
    });
    const input = `${part({ alg, kid, typ: "JWT" })}.${claims}`;
    const message = new TextEncoder().encode(input);
    requireInRange(call, "claims", message, backend.capabilities.keyTypes[ref.keyType]?.message);
    const signed = await signWith(call, entry, key, message);
    const same = signed.resource === named.resource && signed.keyVersion === named.keyVersion;
    if (same) return `${input}.${base64url(signed.signature)}`;
  }
  const cause = new Error(`backend "${backend.id}" signs with another key of ${entry.name} than the one it names`);
  throw call.fail("BACKEND_ERROR", "backend operation failed", cause);
}

/** Whole seconds, a fraction rounded up; undefined for none. */
function ttlSeconds(call: Call, ttl: MintJwtRequest["ttl"]): number | undefined {
  if (ttl === undefined) return undefined;
  const { seconds, nanos } = ttl;
  if (seconds < 0n || nanos < 0 || nanos > 999_999_999) {
    throw call.fail("INVALID_REQUEST", "ttl must not be negative, its nanos from 0 to 999,999,999");
  }
  return Number(seconds) + (nanos > 0 ? 1 : 0);
}

function extraClaims(call: Call, bytes: Uint8Array): JsonMembers {
  let claims: JsonMembers;
  try {
    claims = readClaims(bytes);
  } catch (error) {
    const why =
      error instanceof SyntaxError
        ? "is not a JSON object in UTF-8 with at most 1,024 members and 64 levels"
        : "cannot be read";
    throw call.fail("INVALID_REQUEST", `extra_claims_json ${why}`);
  }
  const taken = RESERVED.filter((name) => Object.hasOwn(claims, name));
  if (taken.length === 0) return claims;
  throw call.fail("INVALID_REQUEST", `extra_claims_json must not set ${taken.join(", ")}`);
}

/** The same rule as the key sets that are published for the issuer. */
function keyId256(alg: string, publicKey: Uint8Array): string {
  return createHash("sha256").update(alg, "ascii").update(Uint8Array.of(0)).update(publicKey).digest("base64url");
}

function tokenId(registered: JsonMembers): string {
  return createHash("sha512-256").update(sortedJson(registered)).digest("base64url");
}

function part(members: JsonMembers): string {
  return base64url(new TextEncoder().encode(sortedJson(members)));
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}
