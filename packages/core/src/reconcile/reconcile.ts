import type { BackendEntry, Catalog, KeyEntry } from "@basil/catalog";
import type { Backend } from "../backend.js";
import type { CallContext } from "../call-context.js";
import { type AnyBackendError, asBackendError } from "../errors.js";
import { generateKey, keyMaker, requireGeneratable } from "./generate-key.js";
import { requireStorable, valueMaker } from "./generate-value.js";
import { type Probed, probePass } from "./probe-pass.js";
import { isFailure, type KeyOutcome, type ReconciledKey, type ReconcileReport, reportOf } from "./report.js";

export interface ReconcileProgress {
  readonly pass: "probe" | "generate";
  /** The key and what it came to so far; one event a key and pass. */
  readonly key: ReconciledKey;
  /** Keys done in this pass, this one included, of `total`. */
  readonly done: number;
  readonly total: number;
}

/** A backend that is unavailable while its key is probed; the probe is repeated. */
export interface ReconcileRetry {
  readonly key: string;
  readonly backend: string;
  readonly error: AnyBackendError;
}

export interface ReconcileOptions {
  readonly catalog: Catalog;
  /** By the catalog's name; one for every backend that a key names. */
  readonly backends: ReadonlyMap<string, Backend>;
  readonly context: CallContext;
  /** Probes in flight at once, 8 by default. Keys are made one at a time. */
  readonly parallelism?: number;
  /** Probe, and make nothing. */
  readonly dryRun?: boolean;
  readonly onProgress?: (progress: ReconcileProgress) => void;
  /** Called before each repeated probe, so that a start that waits can log the cause at once. */
  readonly onRetry?: (retry: ReconcileRetry) => void;
}

const PARALLELISM = 8;
const PROBE_LIMITS = { stallMs: 20_000, afterFailureMs: 12_000 };
const GENERATE_LIMITS = { createMs: 60_000, readBackMs: 20_000 };

/**
 * Brings the backends to what the catalog says, in two passes: every key is probed, by metadata alone; then, only if no
 * key failed, the absent ones whose `missing` is `generate` are made, one after the other, each found by a probe before
 * it counts. Running it again changes nothing.
 *
 * A backend that is unavailable is asked again. A probe pass that fails ends 32 s after its last good answer at the
 * latest, and lists every key that failed. Cancelled, or past its deadline, a run ends with what it has: keys it did not
 * reach are `probe-failed` with `CANCELLED` or `DEADLINE_EXCEEDED`, or `pending`.
 *
 * @throws TypeError for a backend that is not in `backends`, or a parallelism that is not a positive integer.
 */
export async function reconcile(options: ReconcileOptions): Promise<ReconcileReport> {
  const run = new Run(options);
  await run.probe();
  if (!options.dryRun && !run.failed) await run.generate();
  return run.report();
}

/** Where a key lives: what the catalog says of the place, and the place. */
interface Place {
  readonly declared: BackendEntry;
  readonly backend: Backend;
}

class Run {
  readonly #options: ReconcileOptions;
  readonly #entries: readonly KeyEntry[];
  readonly #places: ReadonlyMap<string, Place>;
  readonly #keys = new Map<string, ReconciledKey>();
  failed = false;

  constructor(options: ReconcileOptions) {
    const { parallelism = PARALLELISM } = options;
    if (!Number.isSafeInteger(parallelism) || parallelism < 1) {
      throw new TypeError(`parallelism must be a positive integer, found ${String(parallelism)}`);
    }
    this.#options = options;
    this.#entries = [...options.catalog.keys.values()];
    this.#places = placesOf(options, this.#entries);
  }

  async probe(): Promise<void> {
    const { context, parallelism = PARALLELISM } = this.#options;
    let done = 0;
    await probePass({
      entries: this.#entries,
      backendOf: (entry) => this.#place(entry).backend,
      context,
      parallelism,
      limits: PROBE_LIMITS,
      onProbed: (entry, probed) => {
        const key = this.#record(entry, probed.retries, this.#outcome(entry, probed));
        done += 1;
        this.#options.onProgress?.({ pass: "probe", key, done, total: this.#entries.length });
        return isFailure(key);
      },
      onRetry: ({ name, backend }, error) => this.#options.onRetry?.({ key: name, backend, error }),
    });
  }

  async generate(): Promise<void> {
    const { context } = this.#options;
    const pending = this.#entries.filter(({ name }) => this.#keys.get(name)?.outcome === "pending");
    for (const [index, entry] of pending.entries()) {
      if (context.signal.aborted || Date.now() >= (context.deadline ?? Number.POSITIVE_INFINITY)) return;
      const { backend } = this.#place(entry);
      const { catalog, backends } = this.#options;
      const make = isRecipeMade(entry) ? valueMaker(entry, catalog, backends) : keyMaker(entry, backend);
      const outcome = await generateKey(entry, backend, make, context, GENERATE_LIMITS);
      const key = this.#record(entry, this.#keys.get(entry.name)?.retries ?? 0, outcome);
      this.#options.onProgress?.({ pass: "generate", key, done: index + 1, total: pending.length });
      if (isFailure(key)) return;
    }
  }

  report(): ReconcileReport {
    const keys = this.#entries.map(({ name }) => this.#keys.get(name) as ReconciledKey);
    return reportOf(keys, this.#options.dryRun ?? false);
  }

  #record(entry: KeyEntry, retries: number, outcome: KeyOutcome): ReconciledKey {
    const { name, backend, path, missing, keyType } = entry;
    const { kind } = this.#place(entry).declared;
    const typed = keyType === undefined ? {} : { keyType };
    const key = { key: name, backend, kind, path, missing, ...typed, retries, ...outcome };
    this.#keys.set(name, key);
    this.failed ||= isFailure(key);
    return key;
  }

  #outcome(entry: KeyEntry, probed: Probed): KeyOutcome {
    const outcome = outcomeOf(entry, probed);
    if (outcome !== undefined) return outcome;
    const { declared, backend } = this.#place(entry);
    try {
      if (isRecipeMade(entry)) requireStorable(entry, this.#options.catalog, this.#options.backends);
      else requireGeneratable(entry, declared, backend);
      return { outcome: "pending" };
    } catch (failure) {
      return { outcome: "generate-refused", error: asBackendError(failure) };
    }
  }

  #place(entry: KeyEntry): Place {
    return this.#places.get(entry.backend) as Place;
  }
}

function placesOf({ catalog, backends }: ReconcileOptions, entries: readonly KeyEntry[]): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const entry of entries) {
    const declared = catalog.backends.get(entry.backend);
    const backend = backends.get(entry.backend);
    if (!declared || !backend)
      throw new TypeError(`key ${entry.name} names backend ${entry.backend}, which is not open`);
    places.set(entry.backend, { declared, backend });
  }
  return places;
}

/** Values and public values are made by the catalog's recipe, all other keys by their backend. */
function isRecipeMade({ class: keyClass }: KeyEntry): boolean {
  return keyClass === "value" || keyClass === "public";
}

/** Undefined for a key that is to be made. */
function outcomeOf(entry: KeyEntry, probed: Probed): KeyOutcome | undefined {
  if ("error" in probed) return { outcome: "probe-failed", error: probed.error };
  const { probe } = probed;
  if (probe.state === "present") {
    return { outcome: "present", latestVersion: probe.latestVersion, resource: probe.resource };
  }
  if (probe.state === "unusable") {
    const { reason, resource } = probe;
    return resource === undefined ? { outcome: "unusable", reason } : { outcome: "unusable", reason, resource };
  }
  if (entry.missing === "error") return { outcome: "missing" };
  if (entry.missing === "warn") return { outcome: "warned" };
  return undefined;
}
