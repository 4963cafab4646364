import type { Engine, KeyClass, KeyType, MissingPolicy } from "./vocabulary.js";

/** One backend as the catalog declares it: what it provides and what the deployment demands of it. */
export interface BackendEntry {
  readonly name: string;
  readonly kind: string;
  /** A label; only `vault` kinds dial it. */
  readonly addr: string;
  readonly engines: readonly Engine[];
  readonly capabilities: readonly string[];
  readonly mintKeyTypes: readonly KeyType[];
  readonly requires: readonly string[];
}

/** How a value or public key is made when it is absent, or rotated. */
export type GenerateRecipe =
  | { readonly format: "ascii-printable" | "base64" | "hex"; readonly bytes: number }
  | { readonly format: "age-x25519" }
  | { readonly format: "self-signed-tls"; readonly commonName: string; readonly validity: string }
  | { readonly format: "self-signed-tls-pair-of"; readonly pairOf: string };

export interface SealingPin {
  readonly parties?: { readonly partyU?: string; readonly partyV?: string };
  readonly externalAad: readonly string[];
}

/** One key as held: every default filled in. */
export interface KeyEntry {
  readonly name: string;
  readonly class: KeyClass;
  readonly keyType?: KeyType;
  readonly backend: string;
  /** The effective engine: as written, else inferred from the class. */
  readonly engine: Engine;
  /** The engine as written, which a reload compares. */
  readonly engineAsWritten?: Engine;
  readonly path: string;
  readonly publicPath?: string;
  /** A hard cap on broker-mediated writes: set, rotate, import, new_key. */
  readonly writable: boolean;
  readonly missing: MissingPolicy;
  readonly generate?: GenerateRecipe;
  readonly sealingPin?: SealingPin;
  readonly labels: readonly string[];
  readonly description: string;
}

export interface CatalogWarning {
  readonly code: string;
  /** JSON pointer (RFC 6901) into the document. */
  readonly pointer: string;
  readonly message: string;
}

/** A catalog that has been read and found whole. Maps iterate in byte order of the name. */
export interface Catalog {
  readonly schemaVersion: 1;
  readonly backends: ReadonlyMap<string, BackendEntry>;
  readonly keys: ReadonlyMap<string, KeyEntry>;
  readonly warnings: readonly CatalogWarning[];
}
