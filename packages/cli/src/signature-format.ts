import type { CallOptions, Client, KeyTypeName } from "@basil/client";
import { CliError } from "./cli-error.js";

export const SIGNATURE_FORMATS = ["raw", "der", "jws"] as const;
export type SignatureFormat = (typeof SIGNATURE_FORMATS)[number];

/** The `alg` of a JSON Web Signature (RFC 7518 §3.1, RFC 8037 §3.1). */
const JWS_ALGORITHMS: Readonly<Partial<Record<KeyTypeName, string>>> = {
  ed25519: "EdDSA",
  "ecdsa-p256": "ES256",
  "ecdsa-p384": "ES384",
  "ecdsa-p521": "ES512",
};

/** Signs, and gives the signature in the form that was asked for. @throws {@link CliError} `FAILED` for a form the key has not. */
export async function signAs(
  format: SignatureFormat,
  client: Client,
  keyId: string,
  message: Uint8Array,
  call: CallOptions,
): Promise<Uint8Array> {
  if (format === "raw") return client.sign(keyId, message, call);
  const keyType = await keyTypeOf(client, keyId, call);
  if (format === "jws") return signJws(client, keyId, keyType, message, call);
  const { ecdsaRawToDer, isEcdsaKeyType } = await import("@basil/core");
  if (!isEcdsaKeyType(keyType)) {
    throw new CliError(
      "FAILED",
      `a signature of an ${keyType} key has no DER form`,
      {},
      { remedy: "leave --format out" },
    );
  }
  return ecdsaRawToDer(await client.sign(keyId, message, call), keyType);
}

/** The compact form (RFC 7515 §7.1) with the message as payload. */
async function signJws(
  client: Client,
  keyId: string,
  keyType: KeyTypeName,
  message: Uint8Array,
  call: CallOptions,
): Promise<Uint8Array> {
  const alg = JWS_ALGORITHMS[keyType];
  if (alg === undefined) {
    throw new CliError(
      "FAILED",
      `a JSON Web Signature has no algorithm for an ${keyType} key`,
      {},
      { remedy: "leave --format out" },
    );
  }
  const part = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString("base64url");
  const input = `${part(JSON.stringify({ alg }))}.${part(message)}`;
  const signature = await client.sign(keyId, new TextEncoder().encode(input), call);
  return new TextEncoder().encode(`${input}.${part(signature)}`);
}

async function keyTypeOf(client: Client, keyId: string, call: CallOptions): Promise<KeyTypeName> {
  const items = await client.listCatalog({ ...call, prefix: keyId });
  const keyType = items.find(({ name }) => name === keyId)?.keyType;
  if (keyType !== undefined) return keyType;
  throw new CliError(
    "DENIED",
    `the type of key ${keyId} is not told to you`,
    {},
    {
      remedy: "this form needs op:list or op:get_public_key on the key; leave --format out for the bare signature",
    },
  );
}
