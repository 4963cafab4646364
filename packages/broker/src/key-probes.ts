import type { Catalog, KeyEntry } from "@basil/catalog";
import { abortable, type Backend, type CallContext, isBackendError, type KeyProbe, probeKey } from "@basil/core";

/** What a probe came to; `failed` is a probe that did not find out. */
export type ProbeOutcome = KeyProbe | { readonly state: "failed"; readonly error: unknown };

const FRESH_MS = 2000;
const PARALLEL = 8;
const PROBE_TIMEOUT_MS = 5000;
/** Less than a caller's patience with a backend, so that readiness is an answer and not a timeout of its own. */
const ROUND_TIMEOUT_MS = 15_000;

interface Round {
  readonly catalog: Catalog;
  readonly outcomes: Promise<ReadonlyMap<string, ProbeOutcome>>;
  /** Milliseconds of a monotonic clock; undefined until the round is done. */
  doneAt?: number;
}

/**
 * Whether the keys of a catalog are where it says, from metadata alone. However many ask, at most one round runs at a
 * time, with eight probes in flight, and its answers serve for two seconds. A round lasts 15 seconds at most, and 5 when
 * nothing answers: what was not probed by then counts as failed.
 */
export class KeyProbes {
  readonly #backends: ReadonlyMap<string, Backend>;
  readonly #closed: AbortSignal;
  #round: Round | undefined;

  constructor(backends: ReadonlyMap<string, Backend>, closed: AbortSignal) {
    this.#backends = backends;
    this.#closed = closed;
  }

  /** By the name of the key. */
  of(catalog: Catalog): Promise<ReadonlyMap<string, ProbeOutcome>> {
    const last = this.#round;
    const fresh = last?.doneAt === undefined || performance.now() - last.doneAt < FRESH_MS;
    if (last !== undefined && last.catalog === catalog && fresh) return last.outcomes;
    const round: Round = { catalog, outcomes: this.#run([...catalog.keys.values()]) };
    this.#round = round;
    void round.outcomes.then(() => {
      round.doneAt = performance.now();
    });
    return round.outcomes;
  }

  /** The next one who asks gets a new round. */
  forget(): void {
    this.#round = undefined;
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
    const backend = this.#backends.get(entry.backend);
    if (backend === undefined) return failed(new Error(`backend ${entry.backend} is not open`), true);
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(new Error(`no answer in ${Math.round(timeoutMs)} ms`)), timeoutMs);
    const signal = AbortSignal.any([timeout.signal, this.#closed]);
    const context: CallContext = { signal, deadline: Date.now() + timeoutMs, requestId: `probe:${entry.name}` };
    try {
      return { outcome: await abortable(probeKey(entry, backend, context), signal), inTime: true };
    } catch (error) {
      const isLate = signal.aborted || (isBackendError(error) && error.code === "DEADLINE_EXCEEDED");
      return failed(error, !isLate);
    } finally {
      clearTimeout(timer);
    }
  }
}
