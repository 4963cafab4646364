/** The closed vocabularies of the catalog document, in the order they are shown to people. */

export const KEY_TYPES = [
  "ed25519",
  "ed25519-nkey",
  "rsa-2048",
  "ecdsa-p256",
  "ecdsa-p384",
  "ecdsa-p521",
  "aes-256-gcm",
  "chacha20-poly1305",
  "x25519",
  "ml-kem-512",
  "ml-kem-768",
  "ml-kem-1024",
  "ml-dsa-44",
  "ml-dsa-65",
  "ml-dsa-87",
] as const;
export type KeyType = (typeof KEY_TYPES)[number];

/** What an entry is: a key pair, a cipher key, a stored value, a public half alone, a key to seal to. */
export const KEY_CLASSES = ["asymmetric", "symmetric", "value", "public", "sealing"] as const;
export type KeyClass = (typeof KEY_CLASSES)[number];

/** How a key is reached: used in place, stored with versions, or as an issuer of certificates. */
export const ENGINES = ["transit", "kv2", "pki"] as const;
export type Engine = (typeof ENGINES)[number];

/** What reconcile does with a key that the backend does not hold. */
export const MISSING_POLICIES = ["error", "warn", "generate"] as const;
export type MissingPolicy = (typeof MISSING_POLICIES)[number];

/** The backend kinds a catalog may name without a plugin being loaded. */
export const BUILT_IN_BACKEND_KINDS = ["vault", "keystore", "aws-kms", "gcp-kms"] as const;

/** Recipes that write `bytes` random bytes as text; ascii-printable counts characters. */
export const RECIPE_TEXT_FORMATS = ["ascii-printable", "base64", "hex"] as const;

/** A recipe makes at least one byte and at most this many. */
export const MAX_RECIPE_BYTES = 1024 * 1024;

/** Key types of each class that has a closed list; a `value` has none, a `public` any or none. */
export const KEY_TYPES_OF_CLASS: { readonly [C in "asymmetric" | "symmetric" | "sealing"]: readonly KeyType[] } = {
  asymmetric: [
    "ed25519",
    "ed25519-nkey",
    "rsa-2048",
    "ecdsa-p256",
    "ecdsa-p384",
    "ecdsa-p521",
    "ml-dsa-44",
    "ml-dsa-65",
    "ml-dsa-87",
  ],
  symmetric: ["aes-256-gcm", "chacha20-poly1305"],
  sealing: ["x25519", "ml-kem-512", "ml-kem-768", "ml-kem-1024"],
};

/** What a catalog says when it does not name an engine. */
export function defaultEngine(keyClass: KeyClass): Engine {
  return keyClass === "asymmetric" || keyClass === "symmetric" ? "transit" : "kv2";
}
