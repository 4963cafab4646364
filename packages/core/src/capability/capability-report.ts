import type { MissingPolicy } from "@basil/catalog";

/**
 * `strict`: every gap is fatal. `degraded`: a gap is fatal if `missing` of its key is `error`, or if the kind of its
 * backend has no such engine or key type, because the key could not even be probed. `off`: nothing is checked.
 */
export const CAPABILITY_MODES = ["strict", "degraded", "off"] as const;
export type CapabilityMode = (typeof CAPABILITY_MODES)[number];

/** One thing that is needed and not offered. */
export interface MissingCapability {
  readonly dimension: "engine" | "keyType" | "operation" | "mintKeyType" | "capability";
  /** The token: an engine, a key type, an operation of `keyType`, or a capability. */
  readonly need: string;
  /** The key type an `operation` is needed for. */
  readonly keyType?: string;
  /** Who lacks it: the catalog does not declare it, or the kind itself cannot, whatever is declared. */
  readonly lacking: "declaration" | "kind";
  /** What there is instead, in the same dimension. */
  readonly offered: readonly string[];
  /** What to do about it, as a clause. */
  readonly remedy: string;
}

/** Everything that one key, or a backend's `requires`, misses. */
export interface CapabilityGap {
  readonly backend: string;
  readonly kind: string;
  /** Absent for the backend's own `requires`. */
  readonly key?: string;
  /** The key's policy; absent for the backend's own `requires`. */
  readonly missing?: MissingPolicy;
  readonly fatal: boolean;
  readonly missingEngines: readonly string[];
  readonly missingCapabilities: readonly string[];
  readonly missingMintKeyTypes: readonly string[];
  /** The same and more, one entry each with its remedy; never empty. */
  readonly needs: readonly MissingCapability[];
}

/** Worth telling, and no gap. */
export type CapabilityNote =
  /** A backend that declares nothing: only what its kind cannot do is checked. */
  | { readonly note: "undeclared"; readonly backend: string; readonly kind: string }
  /** A capability that is not of the known ones, compared as it stands. */
  | { readonly note: "unknown-capability"; readonly backend: string; readonly kind: string; readonly token: string }
  /** Declared, and beyond the kind. */
  | {
      readonly note: "overdeclared";
      readonly backend: string;
      readonly kind: string;
      readonly dimension: "engine" | "mintKeyType" | "capability";
      readonly token: string;
    };

/** A backend whose kind is not among those given: its own table could not be consulted, only the catalog's declaration. */
export interface UnloadedKind {
  readonly backend: string;
  readonly kind: string;
}

export interface CapabilityReport {
  readonly mode: CapabilityMode;
  /** No fatal gap. Says nothing of `unloaded`: whoever is to open those backends must look at it. */
  readonly ok: boolean;
  /** Backends whose declaration was checked. */
  readonly enforced: number;
  /** Backends that declare and require nothing. */
  readonly skippedUndeclared: number;
  /** Gaps that are not fatal. */
  readonly warnings: number;
  /** By backend, then key, the backend's own first; names in byte order. */
  readonly gaps: readonly CapabilityGap[];
  readonly notes: readonly CapabilityNote[];
  /** Filled in every mode. */
  readonly unloaded: readonly UnloadedKind[];
}
