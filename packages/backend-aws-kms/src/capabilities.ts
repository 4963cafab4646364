import { BackendError, type ByteRange, type Capabilities, type KeyRef, type TransitOperation } from "@basil/core";
import type { KmsKeySpec, KmsKeyUsage, KmsMessageType, KmsSigningAlgorithm } from "./client.js";

/** KMS takes 1 to 4,096 bytes of `Message` and `Plaintext`; https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html. */
const ONE_CALL: ByteRange = { min: 1, max: 4096 };
/** KMS takes 1 to 6,144 bytes of `CiphertextBlob`. */
export const CIPHERTEXT_BYTES: ByteRange = { min: 1, max: 6144 };

/** How a key type signs on KMS. With `hash` the digest is made here and sent as DIGEST; without, the message is sent RAW. */
export interface SigningScheme {
  readonly algorithm: KmsSigningAlgorithm;
  readonly messageType: KmsMessageType;
  readonly hash?: "sha256" | "sha384" | "sha512";
  readonly message: ByteRange;
  /** Bytes of the raw signature, `r ‖ s` for ECDSA. */
  readonly signatureBytes: number;
}

interface KeyTypeOnKms {
  readonly spec: KmsKeySpec;
  readonly usage: KmsKeyUsage;
  readonly signing?: SigningScheme;
  readonly plaintext?: ByteRange;
}

const ecdsa = (algorithm: KmsSigningAlgorithm, hash: "sha256" | "sha384" | "sha512", signatureBytes: number) =>
  ({ algorithm, messageType: "DIGEST", hash, message: { min: 0 }, signatureBytes }) satisfies SigningScheme;

/**
 * The one table: key type → KeySpec, KeyUsage, how it signs, what it takes. What is not here is refused before any call.
 * `ed25519-nkey` is not here on purpose: KMS would hold it as a plain Ed25519 key, and no NATS identity is minted from it.
 */
const KEY_TYPES = {
  ed25519: {
    spec: "ECC_NIST_EDWARDS25519",
    usage: "SIGN_VERIFY",
    signing: { algorithm: "ED25519_SHA_512", messageType: "RAW", message: ONE_CALL, signatureBytes: 64 },
  },
  "ecdsa-p256": { spec: "ECC_NIST_P256", usage: "SIGN_VERIFY", signing: ecdsa("ECDSA_SHA_256", "sha256", 64) },
  "ecdsa-p384": { spec: "ECC_NIST_P384", usage: "SIGN_VERIFY", signing: ecdsa("ECDSA_SHA_384", "sha384", 96) },
  "ecdsa-p521": { spec: "ECC_NIST_P521", usage: "SIGN_VERIFY", signing: ecdsa("ECDSA_SHA_512", "sha512", 132) },
  "aes-256-gcm": { spec: "SYMMETRIC_DEFAULT", usage: "ENCRYPT_DECRYPT", plaintext: ONE_CALL },
} as const satisfies { readonly [type: string]: KeyTypeOnKms };

/** The key types of this backend, in the order of the catalog's vocabulary. */
type AwsKmsKeyType = keyof typeof KEY_TYPES;

const SIGNING_OPERATIONS: readonly TransitOperation[] = ["sign", "verify", "publicKey", "createKey"];
const CIPHER_OPERATIONS: readonly TransitOperation[] = ["encrypt", "decrypt", "createKey"];

/** What AWS KMS offers behind the contract; `rotate` where the backend was opened for it. */
function capabilities(more: readonly TransitOperation[]): Capabilities {
  const claims = Object.entries(KEY_TYPES).map(([keyType, on]: [string, KeyTypeOnKms]) => {
    if (on.signing) return [keyType, { operations: [...SIGNING_OPERATIONS, ...more], message: on.signing.message }];
    return [keyType, { operations: [...CIPHER_OPERATIONS, ...more], ...(on.plaintext && { plaintext: on.plaintext }) }];
  });
  return { engines: ["transit"], keyTypes: Object.fromEntries(claims), features: [] };
}

/** What a backend offers that was not opened for rotation, as no runtime identity is. */
export const awsKmsCapabilities: Capabilities = capabilities([]);
export const rotatingCapabilities: Capabilities = capabilities(["rotate"]);

/** The row of a key's type. @throws {@link BackendError} `UNSUPPORTED_ALGORITHM`. */
export function onKms(key: KeyRef): KeyTypeOnKms {
  if (isAwsKmsKeyType(key.keyType)) return KEY_TYPES[key.keyType];
  throw new BackendError(
    "UNSUPPORTED_ALGORITHM",
    `key "${key.name}": AWS KMS backs no ${key.keyType} key here; allowed: ${Object.keys(KEY_TYPES).join(", ")}`,
    { keyType: key.keyType },
  );
}

function isAwsKmsKeyType(keyType: string): keyType is AwsKmsKeyType {
  return Object.hasOwn(KEY_TYPES, keyType);
}

/** How a key signs. @throws {@link BackendError} `UNSUPPORTED_ALGORITHM`; `UNSUPPORTED` for a key that does not sign. */
export function signingScheme(key: KeyRef, operation: TransitOperation): SigningScheme {
  const { signing } = onKms(key);
  if (signing) return signing;
  throw unsupported(key, operation);
}

/** The plaintext sizes of a key. @throws {@link BackendError} `UNSUPPORTED_ALGORITHM`; `UNSUPPORTED` for a key that does not encrypt. */
export function plaintextRange(key: KeyRef, operation: TransitOperation): ByteRange {
  const { plaintext } = onKms(key);
  if (plaintext) return plaintext;
  throw unsupported(key, operation);
}

function unsupported(key: KeyRef, operation: TransitOperation): BackendError {
  return new BackendError("UNSUPPORTED", `key "${key.name}": a ${key.keyType} key has no ${operation}`, { operation });
}

/** @throws {@link BackendError} `INVALID_REQUEST` under the range, `PAYLOAD_TOO_LARGE` over it. */
export function requireSize(what: string, bytes: Uint8Array, range: ByteRange): void {
  if (bytes.length < range.min) {
    throw new BackendError("INVALID_REQUEST", `${what} is empty; AWS KMS takes at least ${range.min} byte`, {});
  }
  if (range.max !== undefined && bytes.length > range.max) {
    throw new BackendError(
      "PAYLOAD_TOO_LARGE",
      `${what} has ${bytes.length} bytes; AWS KMS takes at most ${range.max} in one call`,
      { limit: range.max, actual: bytes.length },
    );
  }
}
