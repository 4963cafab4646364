import type { AuthorityIndex } from "./authority-index.js";
import type { Operation } from "./operations.js";
import type { SignatureAlgorithm } from "./signature-key.js";
import type { Target } from "./target.js";

/** One thing that can be true of a caller. */
export type Principal =
  | UnixPrincipal
  | { readonly kind: "unauthenticated" }
  | {
      readonly kind: "signature-key";
      readonly algorithm: SignatureAlgorithm;
      /** As written. */
      readonly public: string;
      /** The Ed25519 public key, 32 bytes. */
      readonly publicKey: Uint8Array;
    };

/** Holds when every given part does; at least one is given. */
export interface UnixPrincipal {
  readonly kind: "unix";
  /** Must be the caller's. At least one of the two is there; with both, both must hold. */
  readonly uid?: number;
  /** A group the caller must be in, by `config.memberships` or, in a document without it, by the kernel. */
  readonly gid?: number;
}

/** A named caller: all of its principals hold, or any of them. */
export interface Subject {
  /** Trimmed. */
  readonly name: string;
  /** May be listed in a rule whose target covers every key; grants nothing by itself. */
  readonly breakGlass: boolean;
  readonly match: "allOf" | "anyOf";
  readonly principals: readonly Principal[];
}

/** One rule, resolved: it allows each of its operations on each of its targets to each of its subjects. */
export interface Rule {
  readonly id: string;
  readonly subjects: readonly string[];
  /** The action terms as written. */
  readonly action: readonly string[];
  /** Each operation allowed, with the first action term that stands for it. */
  readonly operations: ReadonlyMap<Operation, string>;
  readonly targets: readonly Target[];
  readonly comment?: string;
}

export interface PolicyConfig {
  /** Names of uids, for labels and SPIFFE ids. */
  readonly users: ReadonlyMap<number, string>;
  /** Names of gids, for labels. */
  readonly groups: ReadonlyMap<number, string>;
  /** The groups of each uid; absent when the document has no such table. */
  readonly memberships?: ReadonlyMap<number, readonly number[]>;
}

/** A policy that has been read and found whole. Maps iterate in byte order of the name, or by number. */
export interface Policy {
  readonly schemaVersion: 2;
  readonly subjects: ReadonlyMap<string, Subject>;
  readonly unauthenticatedSubject?: string;
  readonly roles: ReadonlyMap<string, readonly Operation[]>;
  /** In document order. */
  readonly rules: readonly Rule[];
  readonly config: PolicyConfig;
  /** @internal The compiled form a decision reads. */
  readonly index: AuthorityIndex;
}
