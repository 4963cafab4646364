import type { CallOptions, Client, KeyTypeName } from "@basil/client";
import { CliError } from "./cli-error.js";
import { keyTypeOf, type SignatureFormat, type SshsigOptions } from "./signature-format.js";

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
  { call, sshsig }: { readonly call: CallOptions; readonly sshsig: SshsigOptions },
): Promise<Uint8Array> {
  switch (format) {
    case "raw":
      return client.sign(keyId, message, call);
    case "der":
      return signDer(client, keyId, message, call);
    case "jws":
      return signJws(client, keyId, message, call);
    case "sshsig":
      return signSsh(client, keyId, message, sshsig, call);
  }
}

async function signDer(client: Client, keyId: string, message: Uint8Array, call: CallOptions): Promise<Uint8Array> {
  const keyType = await keyTypeOf(client, keyId, call);
  const { ecdsaRawToDer, isEcdsaKeyType } = await import("@basil/core");
  if (!isEcdsaKeyType(keyType)) throw hasNone("DER form", keyType);
  return ecdsaRawToDer(await client.sign(keyId, message, call), keyType);
}

/** The compact form (RFC 7515 §7.1) with the message as payload. */
async function signJws(client: Client, keyId: string, message: Uint8Array, call: CallOptions): Promise<Uint8Array> {
  const keyType = await keyTypeOf(client, keyId, call);
  const alg = JWS_ALGORITHMS[keyType];
  if (alg === undefined) throw hasNone("algorithm of JSON Web Signatures", keyType);
  const part = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString("base64url");
  const input = `${part(JSON.stringify({ alg }))}.${part(message)}`;
  const signature = await client.sign(keyId, new TextEncoder().encode(input), call);
  return new TextEncoder().encode(`${input}.${part(signature)}`);
}

/** What `ssh-keygen -Y sign` writes; it holds the public key, so that must be the one that signed. */
async function signSsh(
  client: Client,
  keyId: string,
  message: Uint8Array,
  { namespace = "", hash = "sha512" }: SshsigOptions,
  call: CallOptions,
): Promise<Uint8Array> {
  const { encodeSshsig, isEcdsaKeyType, isEd25519KeyType, rawToSpki, sshsigSignedData, verifySignature } = await import(
    "@basil/core"
  );
  const key = await client.getPublicKey(keyId, call);
  const { keyType } = key;
  if (!isEcdsaKeyType(keyType) && !isEd25519KeyType(keyType)) throw hasNone("form of SSH signatures here", keyType);
  const signed = sshsigSignedData(message, { namespace, hash });
  const signature = await client.sign(keyId, signed, call);
  const publicKey = rawToSpki(key.publicKey, keyType);
  if (!verifySignature({ keyType, publicKey, message: signed, signature })) {
    throw new CliError(
      "FAILED",
      `the signature is not one by the public key of ${keyId}: the key was rotated in between`,
      {},
      { remedy: "run it again" },
    );
  }
  return new TextEncoder().encode(encodeSshsig({ keyType, publicKey, signature, namespace, hash }));
}

function hasNone(what: string, keyType: string): CliError {
  return new CliError("FAILED", `a key of type ${keyType} has no ${what}`, {}, { remedy: "leave --format out" });
}
