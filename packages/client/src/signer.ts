import { createHash } from "node:crypto";
import type { PublicJwk } from "@basil/core";
import type { KeyTypeName } from "@basil/proto";
import type { Client } from "./client.js";
import { ClientError } from "./errors.js";
import type { CallOptions } from "./transport.js";

/** The signature algorithms of RFC 7518 §3.1 and RFC 8037 §3.1 that a signer can have. */
export type SignerAlgorithm = "EdDSA" | "ES256" | "ES384" | "ES512";

/** The public half of a signer, with what a verifier needs to choose it (RFC 7517 §4). */
export type SignerJwk = PublicJwk & { readonly kid: string; readonly use: "sig" };

/** A key that signs, wherever it is. What adapters for other libraries are made on. */
export interface Signer {
  readonly alg: SignerAlgorithm;
  /** 43 characters: base64url of SHA-256 over `alg`, a zero byte and the public key, as in the JWTs a broker mints. */
  readonly kid: string;
  readonly publicJwk: SignerJwk;
  /** Over the whole message. @returns what JWS carries: 64 bytes of Ed25519; `r ‖ s` of 64, 96 or 132 bytes. */
  sign(message: Uint8Array, options?: CallOptions): Promise<Uint8Array>;
}

/**
 * A signer of the broker's key. Its public half is asked for once: after a rotation make a new one.
 *
 * @throws {@link ClientError} as `getPublicKey`; `UNSUPPORTED_ALGORITHM` for a key that is not Ed25519, P-256, P-384 or P-521.
 */
export async function createSigner(client: Client, keyId: string, options: CallOptions = {}): Promise<Signer> {
  const { keyType, publicKey } = await client.getPublicKey(keyId, options);
  const alg = signerAlgorithm(keyType);
  if (alg === undefined) {
    throw new ClientError("UNSUPPORTED_ALGORITHM", `key ${keyId} is of type ${keyType}, which is no signer`, {});
  }
  const publicJwk = await signerJwk(publicKey, keyType);
  return { alg, kid: publicJwk.kid, publicJwk, sign: (message, call = {}) => client.sign(keyId, message, call) };
}

/**
 * The JWK of a public key as `getPublicKey` returns it, with the `kid` that JWTs and JWSs of the key carry.
 *
 * @throws {@link ClientError} `UNSUPPORTED_ALGORITHM` for a key that is not Ed25519, P-256, P-384 or P-521; `PROTOCOL` for
 *   bytes that are no key of the type.
 */
export async function signerJwk(publicKey: Uint8Array, keyType: KeyTypeName): Promise<SignerJwk> {
  const alg = signerAlgorithm(keyType);
  if (alg === undefined) {
    throw new ClientError(
      "UNSUPPORTED_ALGORITHM",
      `a key of type ${keyType} has no algorithm of JSON Web Signatures`,
      {},
    );
  }
  return { ...(await jwkOf(publicKey, keyType)), kid: signerKid(alg, publicKey), use: "sig" };
}

/** The {@link Signer.kid} of a public key as `getPublicKey` returns it. */
export function signerKid(alg: SignerAlgorithm, publicKey: Uint8Array): string {
  return createHash("sha256").update(alg, "ascii").update(Uint8Array.of(0)).update(publicKey).digest("base64url");
}

/** A JWK Set (RFC 7517 §5) of the public halves. */
export function publicJwks(signers: Iterable<Signer>): { readonly keys: readonly SignerJwk[] } {
  return { keys: Array.from(signers, ({ publicJwk }) => publicJwk) };
}

async function jwkOf(publicKey: Uint8Array, keyType: KeyTypeName): Promise<PublicJwk> {
  // Curves and schemas are of no use to who only calls a broker.
  const { rawToSpki, spkiToJwk } = await import("@basil/core");
  try {
    return spkiToJwk(rawToSpki(publicKey, keyType), keyType);
  } catch (cause) {
    throw new ClientError("PROTOCOL", `the broker gave a public key that is none of type ${keyType}`, {}, { cause });
  }
}

/** The `alg` of signatures by a key of the type; undefined for a type that JSON Web Signatures have none for here. */
export function signerAlgorithm(keyType: string): SignerAlgorithm | undefined {
  switch (keyType) {
    case "ed25519":
    case "ed25519-nkey":
      return "EdDSA";
    case "ecdsa-p256":
      return "ES256";
    case "ecdsa-p384":
      return "ES384";
    case "ecdsa-p521":
      return "ES512";
    default:
      return undefined;
  }
}
