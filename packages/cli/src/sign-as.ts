import type { CallOptions, Client } from "@basil/client";
import { CliError } from "./cli-error.js";
import { keyTypeOf, type SignatureFormat, type SshsigOptions } from "./signature-format.js";

interface SignAsOptions {
  readonly call: CallOptions;
  readonly sshsig: SshsigOptions;
  /** Prints one line that is no part of the signature. */
  readonly warn: (line: string) => void;
}

/** Signs, and gives the signature in the form that was asked for. @throws {@link CliError} `FAILED` for a form the key has not. */
export async function signAs(
  format: SignatureFormat,
  client: Client,
  keyId: string,
  message: Uint8Array,
  { call, sshsig, warn }: SignAsOptions,
): Promise<Uint8Array> {
  switch (format) {
    case "raw":
      return client.sign(keyId, message, call);
    case "der":
      return signDer(client, keyId, message, call);
    case "jws":
      return signCompactJws(client, keyId, message, { call, warn });
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

/** The compact form (RFC 7515 §7.1) with the message as payload. Its `kid` is the one that `basil jwks` prints. */
async function signCompactJws(
  client: Client,
  keyId: string,
  message: Uint8Array,
  { call, warn }: Pick<SignAsOptions, "call" | "warn">,
): Promise<Uint8Array> {
  const { isClientError, signerAlgorithm, signerKid, signJws } = await import("@basil/client");
  const key = await client.getPublicKey(keyId, call).catch((error: unknown) => {
    if (isClientError(error) && error.code === "UNAUTHORIZED") return undefined;
    throw error;
  });
  const keyType = key?.keyType ?? (await keyTypeOf(client, keyId, call));
  const alg = signerAlgorithm(keyType);
  if (alg === undefined) throw hasNone("algorithm of JSON Web Signatures", keyType);
  if (key === undefined)
    warn(`the signature has no kid: you may not read the public key of ${keyId} (op:get_public_key)`);
  const signer = {
    alg,
    ...(key !== undefined && { kid: signerKid(alg, key.publicKey) }),
    sign: (bytes: Uint8Array, options?: CallOptions) => client.sign(keyId, bytes, options),
  };
  return new TextEncoder().encode(await signJws(signer, message, call));
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
