import type { Engine, KeyType } from "@basil/catalog";

/** The operations of a transit engine that a key type may or may not offer. */
export const TRANSIT_OPERATIONS = ["sign", "verify", "publicKey", "encrypt", "decrypt", "createKey", "rotate"] as const;
export type TransitOperation = (typeof TRANSIT_OPERATIONS)[number];

/** What one key type can do on a backend, and the sizes it takes, in bytes. */
export interface KeyTypeCapabilities {
  readonly operations: readonly TransitOperation[];
  /** Smallest and largest message `sign` and `verify` take. */
  readonly message?: ByteRange;
  /** Smallest and largest plaintext `encrypt` takes. */
  readonly plaintext?: ByteRange;
}

/** Both ends are allowed; `max` absent means no limit of the backend's own. */
export interface ByteRange {
  /** Bytes. */
  readonly min: number;
  /** Bytes. */
  readonly max?: number;
}

/** What a backend offers, as data, fixed when it is constructed. What is not listed is refused before any call. */
export interface Capabilities {
  readonly engines: readonly Engine[];
  /** Key types by what they can do; a type that is absent is refused. */
  readonly keyTypes: { readonly [T in KeyType]?: KeyTypeCapabilities };
  /** The feature tokens of the catalog's `capabilities` that the kind really has. */
  readonly features: readonly string[];
}
