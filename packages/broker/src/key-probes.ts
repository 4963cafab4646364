import type { Catalog, KeyEntry } from "@basil/catalog";
import { type Backend, isBackendError, type KeyProbe, probeKey, within } from "@basil/core";

/** What a probe came to; `failed` is a probe that did not find out. */
export type ProbeOutcome = KeyProbe | { readonly state: "failed"; readonly error: unknown };

const PARALLEL = 8;
const PROBE_TIMEOUT_MS = 5000;
/** Less than a caller's patience with a backend, so that readiness is an answer and not a timeout of its own. */
const ROUND_TIMEOUT_MS = 15_000;

interface Round {
  readonly catalog: Catalog;
  outcomes: Promise<ReadonlyMap<string, ProbeOutcome>>;
  /** Milliseconds of a monotonic clock; undefined until the round is done. */
  doneAt?: number;
  /** A probe did not find out. */
  failed?: boolean;
}

export interface KeyProbesParts {
  readonly backends: ReadonlyMap<string, Backend>;
  /** Ends the probing. */
  readonly closed: AbortSignal;
  /** Milliseconds between the starts of two rounds. */
  readonly intervalMs: number;
  /** The catalog that is served. */
  catalog(): Catalog;
  /** A round is done. */
  onRound?(): void;
}

/**
 * Whether the keys of a catalog are where it says, from metadata alone. A round probes every key, with eight probes in
 * flight; it starts every `intervalMs`, whether or not a caller asks, so that callers cannot cause backend calls. Answers
 * are at most one and a half intervals old. A round lasts 15 seconds at most, and 5 when nothing answers: what was not
 * probed by then counts as failed.
 */
export class KeyProbes {
  readonly #parts: KeyProbesParts;
  readonly #startedAt = performance.now();
  #done: Round | undefined;
  #running: Round | undefined;
  #earlyAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: KeyProbesParts) {
    this.#parts = parts;
    parts.closed.addEventListener("abort", () => clearTimeout(this.#timer), { once: true });
    this.#schedule();
  }

  /** Seconds since a round was done; before the first one, since the broker started. */
  get ageSeconds(): number {
    return (performance.now() - (this.#done?.doneAt ?? this.#startedAt)) / 1000;
  }

  /**
   * The outcomes by the name of the key, of the last round. Only a catalog that no round has probed waits for its first
   * round; so does a caller after timers stood still.
   */
  of(catalog: Catalog): Promise<ReadonlyMap<string, ProbeOutcome>> {
    const done = this.#done;
    const maxAge = 1.5 * this.#parts.intervalMs;
    if (done?.catalog === catalog && performance.now() - (done.doneAt ?? 0) < maxAge) return done.outcomes;
    const round = this.#running?.catalog === catalog ? this.#running : this.#begin(catalog);
    return round.outcomes;
  }

  /** A backend failed an operation: starts a round unless the last one failed as well, at most one an interval. */
  operationFailed(): void {
    const now = performance.now();
    const known = this.#running !== undefined || this.#done === undefined || this.#done.failed === true;
    if (known || now - this.#earlyAt < this.#parts.intervalMs) return;
    this.#earlyAt = now;
    this.#begin(this.#parts.catalog());
  }

  /** Another catalog is served: starts a round of it. */
  reloaded(): void {
    void this.of(this.#parts.catalog());
  }

  /** The broker made or changed the key: probes that key again. */
  changed(entry: KeyEntry): void {
    const probe = this.#probe(entry, PROBE_TIMEOUT_MS);
    for (const round of [this.#done, this.#running]) {
      if (round?.catalog.keys.get(entry.name) !== entry) continue;
      round.outcomes = Promise.all([round.outcomes, probe]).then(([outcomes, { outcome }]) =>
        new Map(outcomes).set(entry.name, outcome),
      );
    }
  }

  #begin(catalog: Catalog): Round {
    const outcomes = this.#run([...catalog.keys.values()]);
    const round: Round = { catalog, outcomes };
    this.#running = round;
    this.#schedule();
    void outcomes.then((found) => {
      round.doneAt = performance.now();
      round.failed = [...found.values()].some(({ state }) => state === "failed");
      // A later round of another catalog has taken its place.
      if (this.#running !== round) return;
      this.#done = round;
      this.#running = undefined;
      this.#parts.onRound?.();
    });
    return round;
  }

  #schedule(): void {
    const { closed, intervalMs, catalog } = this.#parts;
    clearTimeout(this.#timer);
    if (closed.aborted) return;
    this.#timer = setTimeout(() => {
      if (this.#running === undefined) this.#begin(catalog());
      else this.#schedule();
    }, intervalMs).unref();
  }

  async #run(entries: readonly KeyEntry[]): Promise<ReadonlyMap<string, ProbeOutcome>> {
    const outcomes = new Map<string, ProbeOutcome>();
    const waiting = entries.values();
    const until = performance.now() + ROUND_TIMEOUT_MS;
    let answers = 0;
    let stalled = false;
    const work = async () => {
      for (const entry of waiting) {
        const left = until - performance.now();
        if (stalled || left <= 0) {
          outcomes.set(entry.name, { state: "failed", error: new Error("not probed: those before took too long") });
          continue;
        }
        const before = answers;
        const { outcome, inTime } = await this.#probe(entry, Math.min(PROBE_TIMEOUT_MS, left));
        if (inTime) answers += 1;
        else if (answers === before) stalled = true;
        outcomes.set(entry.name, outcome);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
    return outcomes;
  }

  async #probe(entry: KeyEntry, timeoutMs: number): Promise<{ outcome: ProbeOutcome; inTime: boolean }> {
    const failed = (error: unknown, inTime: boolean) => ({ outcome: { state: "failed", error } as const, inTime });
    const backend = this.#parts.backends.get(entry.backend);
    if (backend === undefined) return failed(new Error(`backend ${entry.backend} is not open`), true);
    const late = new Error(`no answer in ${Math.round(timeoutMs)} ms`);
    const facts = { deadline: Date.now() + timeoutMs, requestId: `probe:${entry.name}` };
    const probe = (signal: AbortSignal) => probeKey(entry, backend, { ...facts, signal });
    try {
      return { outcome: await within(timeoutMs, this.#parts.closed, probe, { late: () => late }), inTime: true };
    } catch (error) {
      const isLate =
        error === late || this.#parts.closed.aborted || (isBackendError(error) && error.code === "DEADLINE_EXCEEDED");
      return failed(error, !isLate);
    }
  }
}
