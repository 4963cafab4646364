import type { KeyType, MissingPolicy } from "@basil/catalog";
import type { AnyBackendError } from "../errors.js";

/** What became of one key. */
export type KeyOutcome =
  /** The backend holds it, and it serves. */
  | { readonly outcome: "present"; readonly latestVersion: number; readonly resource: string }
  /** Made by this run, and found by a probe since. */
  | { readonly outcome: "generated"; readonly latestVersion: number; readonly resource: string }
  /** Absent, and `missing` is `warn`. */
  | { readonly outcome: "warned" }
  /** Absent, and `missing` is `error`. Fails the run. */
  | { readonly outcome: "missing" }
  /** Absent, `missing` is `generate`, and nothing was made: a dry run, a run that failed elsewhere, or one that was cancelled. */
  | { readonly outcome: "pending" }
  /** There, and not what the catalog needs. Fails the run. */
  | { readonly outcome: "unusable"; readonly reason: string; readonly resource?: string }
  /** Nobody knows whether it is there. Fails the run. */
  | { readonly outcome: "probe-failed"; readonly error: AnyBackendError }
  /** To be made, and may not be made here; no backend was asked. Fails the run. */
  | { readonly outcome: "generate-refused"; readonly error: AnyBackendError }
  /** To be made, and the backend did not make it, or it was not found afterwards; then `resource` names it. Fails the run. */
  | { readonly outcome: "generate-failed"; readonly error: AnyBackendError; readonly resource?: string };

/** The key of the catalog that an outcome is about. */
export interface ReconciledKeyIdentity {
  readonly key: string;
  /** The catalog's name of the backend, and its kind. */
  readonly backend: string;
  readonly kind: string;
  readonly path: string;
  readonly keyType?: KeyType;
  readonly missing: MissingPolicy;
  /** How often its probe was repeated because the backend was unavailable. */
  readonly retries: number;
}

export type ReconciledKey = ReconciledKeyIdentity & KeyOutcome;

export interface ReconcileReport {
  /** Every key is as the catalog demands it; in a dry run: a real one would at least try to make it so. */
  readonly ok: boolean;
  readonly dryRun: boolean;
  /** How many keys came to each outcome; zero included. */
  readonly counts: { readonly [O in KeyOutcome["outcome"]]: number };
  /** One entry a key, in the order of the catalog: byte order of the name. */
  readonly keys: readonly ReconciledKey[];
}

const FAILURES = {
  present: false,
  generated: false,
  warned: false,
  pending: false,
  missing: true,
  unusable: true,
  "probe-failed": true,
  "generate-refused": true,
  "generate-failed": true,
} as const satisfies Record<KeyOutcome["outcome"], boolean>;

/** Whether an outcome alone makes the run fail. */
export function isFailure({ outcome }: KeyOutcome): boolean {
  return FAILURES[outcome];
}

export function reportOf(keys: readonly ReconciledKey[], dryRun: boolean): ReconcileReport {
  const outcomes = Object.keys(FAILURES) as KeyOutcome["outcome"][];
  const count = (outcome: KeyOutcome["outcome"]) => keys.filter((key) => key.outcome === outcome).length;
  const counts = Object.fromEntries(outcomes.map((outcome) => [outcome, count(outcome)]));
  return {
    ok: !keys.some(isFailure) && (dryRun || count("pending") === 0),
    dryRun,
    counts: counts as ReconcileReport["counts"],
    keys,
  };
}
