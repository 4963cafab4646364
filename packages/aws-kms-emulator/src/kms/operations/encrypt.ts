import { constants, type KeyObject, privateDecrypt, publicEncrypt } from "node:crypto";
import { isRefusal, Refusal } from "../../refusal.js";
import type { Input } from "../../shape.js";
import type { ContextEntries, KmsCall } from "../call.js";
import { decryptBlob, encryptBlob, type ParsedBlob, parseBlob } from "../ciphertext.js";
import type { inputShapes } from "../input-shapes.js";
import type { KmsKey } from "../key.js";
import { algorithmsOf, type EncryptionAlgorithm } from "../key-spec.js";
import { checkState } from "../key-state.js";
import { checkUsage } from "../key-usage.js";
import { type ResolvedKey, resolveKey } from "../resolve.js";
import { dryRunSucceeded } from "./sign.js";

type EncryptInput = Input<typeof inputShapes.Encrypt>;
type DecryptInput = Input<typeof inputShapes.Decrypt>;
export type EncryptionContext = ReadonlyMap<string, string>;

export const noContext: EncryptionContext = new Map();

/** Condition keys of the operations on symmetric keys. */
export function conditionEntries(requestAlias: string | undefined, algorithm: string, context: EncryptionContext) {
  return {
    "kms:requestalias": requestAlias === undefined ? undefined : [requestAlias],
    "kms:encryptionalgorithm": [algorithm],
    ...contextEntries(context),
  };
}

/** Condition keys of an encryption context, given or constrained. */
export function contextEntries(context: EncryptionContext) {
  const entries: Record<string, readonly string[] | undefined> = {
    "kms:encryptioncontextkeys": context.size === 0 ? undefined : [...context.keys()],
  };
  for (const [name, value] of context) entries[`kms:encryptioncontext:${name.toLowerCase()}`] = [value];
  return entries;
}

export function checkAlgorithm(key: KmsKey, algorithm: EncryptionAlgorithm): void {
  if (!algorithmsOf(key.spec, key.usage)?.includes(algorithm)) {
    throw new Refusal("InvalidKeyUsageException", `Algorithm ${algorithm} is incompatible with key spec ${key.spec}.`);
  }
}

export function checkContext(key: KmsKey, context: EncryptionContext): void {
  if (key.spec !== "SYMMETRIC_DEFAULT" && context.size > 0) {
    throw new Refusal("ValidationException", "EncryptionContext is not supported with asymmetric keys.");
  }
}

const oaepHash: Partial<Record<EncryptionAlgorithm, "sha1" | "sha256">> = {
  RSAES_OAEP_SHA_1: "sha1",
  RSAES_OAEP_SHA_256: "sha256",
};
const oaepLimit: Partial<Record<EncryptionAlgorithm, number>> = { RSAES_OAEP_SHA_1: 214, RSAES_OAEP_SHA_256: 190 };

function oaep(algorithm: EncryptionAlgorithm) {
  return { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: oaepHash[algorithm] ?? "sha256" };
}

export function secretOf(key: KmsKey): KeyObject {
  if (key.material.kind !== "secret") throw new TypeError(`key ${key.id} has no secret`);
  return key.material.key;
}

export const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

export function encryptOperation(input: EncryptInput, call: KmsCall) {
  const { key, requestAlias } = resolveKey(call, "Encrypt", input.KeyId);
  const algorithm = input.EncryptionAlgorithm ?? "SYMMETRIC_DEFAULT";
  const context = input.EncryptionContext ?? noContext;
  call.authorize("Encrypt", { kind: "key", key }, conditionEntries(requestAlias, algorithm, context), {
    encryptionContext: context,
  });
  checkUsage(key, "ENCRYPT_DECRYPT", "Encrypt");
  checkState(key, "use");
  checkAlgorithm(key, algorithm);
  checkContext(key, context);
  checkLength(key, algorithm, input.Plaintext);
  if (input.DryRun) throw dryRunSucceeded();
  const blob = encryptUnder(key, algorithm, input.Plaintext, context);
  return { CiphertextBlob: base64(blob), KeyId: key.arn, EncryptionAlgorithm: algorithm };
}

export function checkLength(key: KmsKey, algorithm: EncryptionAlgorithm, plaintext: Uint8Array): void {
  const limit = oaepLimit[algorithm];
  if (limit !== undefined && plaintext.length > limit) {
    throw new Refusal(
      "ValidationException",
      `Algorithm ${algorithm} and key spec ${key.spec} cannot encrypt data larger than ${limit} bytes.`,
    );
  }
}

export function encryptUnder(
  key: KmsKey,
  algorithm: EncryptionAlgorithm,
  plaintext: Uint8Array,
  context: EncryptionContext,
): Uint8Array {
  return key.material.kind === "pair"
    ? publicEncrypt({ key: key.material.publicKey, ...oaep(algorithm) }, plaintext)
    : encryptBlob(secretOf(key), key.materialId, plaintext, context);
}

export const incorrectKey = () =>
  new Refusal(
    "IncorrectKeyException",
    "The key ID in the request does not identify a CMK that can perform this operation.",
  );

/** The key in the blob, when the caller named none. */
export function keyOfBlob(call: KmsCall, blob: ParsedBlob | undefined): ResolvedKey {
  if (blob === undefined) throw new Refusal("InvalidCiphertextException");
  const key = call.store.byMaterial(blob.materialId);
  if (key === undefined) throw noAccessToBlob();
  return { key, requestAlias: undefined };
}

const noAccessToBlob = () =>
  new Refusal(
    "AccessDeniedException",
    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.",
  );

/** Without a key named, a denial reads as if the key were not here, so that a blob does not tell whose it is. */
export function denialOfBlob(error: unknown, keyId: string | undefined): unknown {
  const denied = isRefusal(error) && error.code === "AccessDeniedException";
  return denied && keyId === undefined ? noAccessToBlob() : error;
}

function authorizeDecrypt(
  input: DecryptInput,
  call: KmsCall,
  key: KmsKey,
  entries: ContextEntries,
  context: EncryptionContext,
): void {
  try {
    call.authorize("Decrypt", { kind: "key", key }, entries, { encryptionContext: context });
  } catch (error) {
    throw denialOfBlob(error, input.KeyId);
  }
}

/** The ciphertext; undefined where only the permission on the key, the member `named`, is asked about. */
export function ciphertextOf<Named extends "KeyId" | "SourceKeyId">(
  input: Pick<DecryptInput, "CiphertextBlob" | "DryRun" | "DryRunModifiers"> & {
    readonly [N in Named]: string | undefined;
  },
  named: Named,
): Uint8Array | undefined {
  const ignoreCiphertext = input.DryRunModifiers?.includes("IGNORE_CIPHERTEXT") === true;
  if (ignoreCiphertext && (input.DryRun !== true || input[named] === undefined)) {
    throw new Refusal("ValidationException", `DryRunModifiers IGNORE_CIPHERTEXT requires DryRun and ${named}.`);
  }
  if (input.CiphertextBlob === undefined && !ignoreCiphertext) {
    throw new Refusal(
      "ValidationException",
      "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null",
    );
  }
  return input.CiphertextBlob;
}

export function decryptOperation(input: DecryptInput, call: KmsCall) {
  const bytes = ciphertextOf(input, "KeyId");
  if (input.Recipient !== undefined) throw new Refusal("UnsupportedOperationException");
  const blob = bytes === undefined ? undefined : parseBlob(bytes);
  const algorithm = input.EncryptionAlgorithm ?? "SYMMETRIC_DEFAULT";
  const context = input.EncryptionContext ?? noContext;
  const { key, requestAlias } =
    input.KeyId === undefined ? keyOfBlob(call, blob) : resolveKey(call, "Decrypt", input.KeyId);
  authorizeDecrypt(input, call, key, conditionEntries(requestAlias, algorithm, context), context);
  // A key named by the caller that could not have made the blob is the wrong key, whatever its usage.
  if (key.usage !== "ENCRYPT_DECRYPT" || key.state === "PendingImport") throw incorrectKey();
  const other = blob === undefined ? undefined : call.store.byMaterial(blob.materialId);
  if (other !== undefined && other !== key) throw incorrectKey();
  checkState(key, "use");
  checkAlgorithm(key, algorithm);
  checkContext(key, context);
  if (input.DryRun) throw dryRunSucceeded();
  const plaintext = decryptUnder(key, algorithm, bytes, context);
  return {
    KeyId: key.arn,
    Plaintext: base64(plaintext),
    EncryptionAlgorithm: algorithm,
    ...(key.material.kind === "secret" && { KeyMaterialId: key.materialId }),
  };
}

export function decryptUnder(
  key: KmsKey,
  algorithm: EncryptionAlgorithm,
  bytes: Uint8Array | undefined,
  context: EncryptionContext,
): Uint8Array {
  const plaintext =
    key.material.kind === "pair"
      ? decryptRsa(key, algorithm, bytes)
      : decryptSymmetric(key, bytes === undefined ? undefined : parseBlob(bytes), context);
  if (plaintext === undefined) throw new Refusal("InvalidCiphertextException");
  return plaintext;
}

function decryptSymmetric(
  key: KmsKey,
  blob: ParsedBlob | undefined,
  context: EncryptionContext,
): Uint8Array | undefined {
  if (blob === undefined || blob.materialId !== key.materialId) return undefined;
  return decryptBlob(secretOf(key), blob, context);
}

function decryptRsa(
  key: KmsKey,
  algorithm: EncryptionAlgorithm,
  bytes: Uint8Array | undefined,
): Uint8Array | undefined {
  if (key.material.kind !== "pair" || bytes === undefined) return undefined;
  try {
    return privateDecrypt({ key: key.material.privateKey, ...oaep(algorithm) }, bytes);
  } catch {
    return undefined;
  }
}
