import type { Catalog, KeyEntry } from "@basil/catalog";
import { abortable, type Backend, type CallContext, type KeyProbe, probeKey } from "@basil/core";

/** What a probe came to; `failed` is a probe that did not find out. */
export type ProbeOutcome = KeyProbe | { readonly state: "failed"; readonly error: unknown };

const FRESH_MS = 2000;
const PARALLEL = 8;
const PROBE_TIMEOUT_MS = 5000;

interface Round {
  readonly catalog: Catalog;
  readonly outcomes: Promise<ReadonlyMap<string, ProbeOutcome>>;
  /** Milliseconds of a monotonic clock; undefined until the round is done. */
  doneAt?: number;
}

/**
 * Whether the keys of a catalog are where it says, from metadata alone. However many ask, at most one round runs at a
 * time, with eight probes in flight, and its answers serve for two seconds.
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
    const work = async () => {
      for (const entry of waiting) outcomes.set(entry.name, await this.#probe(entry));
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
    return outcomes;
  }

  async #probe(entry: KeyEntry): Promise<ProbeOutcome> {
    const backend = this.#backends.get(entry.backend);
    if (backend === undefined) return { state: "failed", error: new Error(`backend ${entry.backend} is not open`) };
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(new Error(`no answer in ${PROBE_TIMEOUT_MS} ms`)), PROBE_TIMEOUT_MS);
    const signal = AbortSignal.any([timeout.signal, this.#closed]);
    const context: CallContext = { signal, deadline: Date.now() + PROBE_TIMEOUT_MS, requestId: `probe:${entry.name}` };
    try {
      return await abortable(probeKey(entry, backend, context), signal);
    } catch (error) {
      return { state: "failed", error };
    } finally {
      clearTimeout(timer);
    }
  }
}
