import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { spkiToRaw } from "@basil/core";
import {
  GetPublicKeyResponseSchema,
  type GrpcMethod,
  KEY_TYPE_NUMBERS,
  type KeyTypeName,
  type SignRequest,
  SignResponseSchema,
} from "@basil/proto";
import { create, type Message } from "@bufbuild/protobuf";
import fc from "fast-check";
import { compactVerify, createLocalJWKSet, importJWK, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { Client } from "./client.js";
import { signJws, signJwt } from "./jws.js";
import { createSigner, publicJwks } from "./signer.js";
import type { Transport } from "./transport.js";

const CASES = [
  ["ed25519", "EdDSA", undefined, () => generateKeyPairSync("ed25519")],
  ["ecdsa-p256", "ES256", "sha256", () => generateKeyPairSync("ec", { namedCurve: "P-256" })],
  ["ecdsa-p384", "ES384", "sha384", () => generateKeyPairSync("ec", { namedCurve: "P-384" })],
  ["ecdsa-p521", "ES512", "sha512", () => generateKeyPairSync("ec", { namedCurve: "P-521" })],
] as const;

/** A broker of one key that is really there. */
function clientOf(
  keyType: KeyTypeName,
  hash: string | undefined,
  key: { privateKey: KeyObject; publicKey: KeyObject },
) {
  const spki = new Uint8Array(key.publicKey.export({ type: "spki", format: "der" }));
  const mismatched = (keyType === "ed25519") !== (key.publicKey.asymmetricKeyType === "ed25519");
  const publicKey = keyType === "rsa-2048" || mismatched ? spki : spkiToRaw(spki, keyType);
  const answer = ({ path }: GrpcMethod<never, never>, request: unknown): Message => {
    if (path.endsWith("/GetPublicKey")) {
      return create(GetPublicKeyResponseSchema, {
        keyId: "k",
        keyType: KEY_TYPE_NUMBERS[keyType],
        publicKey,
        version: 1,
      });
    }
    const options = { key: key.privateKey, dsaEncoding: "ieee-p1363" } as const;
    const signature = new Uint8Array(sign(hash, (request as SignRequest).message, options));
    return create(SignResponseSchema, { signature });
  };
  const transport = {
    unary: async (method: never, request: never) => answer(method, request) as never,
    serverStream: () => [] as never,
    async [Symbol.asyncDispose]() {},
  } satisfies Transport;
  return { client: new Client(transport), publicKey };
}

describe("createSigner", () => {
  it.for(CASES)("%s signs JWS and JWT that jose verifies as %s", async ([keyType, alg, hash, generate]) => {
    const key = generate();
    const { client, publicKey } = clientOf(keyType, hash, key);
    const signer = await createSigner(client, "k");
    expect(signer).toMatchObject({ alg, publicJwk: { alg, use: "sig", kid: signer.kid } });
    const preimage = Buffer.concat([Buffer.from(`${alg}\0`), publicKey]);
    expect(signer.kid).toBe(createHash("sha256").update(preimage).digest("base64url"));

    const jws = await signJws(signer, Uint8Array.of(0, 255), { header: { cty: "octets" } });
    const verified = await compactVerify(jws, await importJWK({ ...signer.publicJwk }));
    expect(verified.payload).toEqual(Uint8Array.of(0, 255));
    expect(verified.protectedHeader).toEqual({ alg, kid: signer.kid, cty: "octets" });

    const jwt = await signJwt(signer, { sub: "alice", aud: "api" });
    const keys = publicJwks([signer]).keys.map((jwk) => ({ ...jwk }));
    const { payload, protectedHeader } = await jwtVerify(jwt, createLocalJWKSet({ keys }), { audience: "api" });
    expect(payload).toEqual({ sub: "alice", aud: "api" });
    expect(protectedHeader.typ).toBe("JWT");
    expect(createPublicKey({ key: { ...signer.publicJwk }, format: "jwk" }).equals(key.publicKey)).toBe(true);
  });

  it("refuses a key that is no signer", async () => {
    const { client } = clientOf("rsa-2048", "sha256", generateKeyPairSync("rsa", { modulusLength: 2048 }));
    await expect(createSigner(client, "k")).rejects.toMatchObject({ code: "UNSUPPORTED_ALGORITHM" });
  });
});

describe("a broker that gives nonsense for a public key", () => {
  it("is a PROTOCOL failure", async () => {
    const [, , , generate] = CASES[0];
    const { client } = clientOf("ecdsa-p256", "sha256", generate());
    await expect(createSigner(client, "k")).rejects.toMatchObject({ code: "PROTOCOL" });
  });
});

describe("signJws", () => {
  it("signs any payload, and verifies only as it was", async () => {
    const [keyType, , hash, generate] = CASES[1];
    const { client } = clientOf(keyType, hash, generate());
    const signer = await createSigner(client, "k");
    const key = await importJWK({ ...signer.publicJwk });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), async (payload) => {
        const jws = await signJws(signer, payload);
        expect((await compactVerify(jws, key)).payload).toEqual(payload);
        const [header, , signature] = jws.split(".");
        const other = Buffer.from([...payload, 0]).toString("base64url");
        await expect(compactVerify(`${header}.${other}.${signature}`, key)).rejects.toThrow();
      }),
      { numRuns: 30 },
    );
  });

  it.for(["alg", "kid", "b64", "crit"])("refuses a header that sets %s", async (name) => {
    const [keyType, , hash, generate] = CASES[0];
    const { client } = clientOf(keyType, hash, generate());
    const signer = await createSigner(client, "k");
    await expect(signJws(signer, new Uint8Array(), { header: { [name]: "x" } })).rejects.toThrow(TypeError);
  });
});
