import type { KeyEntry } from "@basil/catalog";
import { abortable, abortableDelay } from "../abortable.js";
import type { Backend, KeyProbe } from "../backend.js";
import type { CallContext } from "../call-context.js";
import { type AnyBackendError, asBackendError } from "../errors.js";
import { Patience, type PatienceLimits } from "./patience.js";
import { probeKey } from "./probe-key.js";

/** What the probe of one key came to. */
export type Probed = { readonly retries: number } & (
  | { readonly probe: KeyProbe }
  | { readonly error: AnyBackendError }
);

export interface ProbePassOptions {
  readonly entries: readonly KeyEntry[];
  readonly backendOf: (entry: KeyEntry) => Backend;
  readonly context: CallContext;
  /** Probes in flight at once. */
  readonly parallelism: number;
  readonly limits: PatienceLimits;
  /** Called once a key, as soon as its probe came to something; the answer says whether the run fails by it. */
  readonly onProbed: (entry: KeyEntry, probed: Probed) => boolean;
  /** Called before each wait for a backend that is unavailable. */
  readonly onRetry?: (entry: KeyEntry, error: AnyBackendError) => void;
}

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 4000;

/**
 * Probes every key, at most `parallelism` at once, in the order given. A backend that is unavailable is asked again,
 * after the time it asks for or a growing one, as long as {@link Patience} lasts.
 */
export async function probePass(options: ProbePassOptions): Promise<void> {
  using patience = new Patience(options.context, options.limits);
  const queue = options.entries.values();
  const worker = async () => {
    for (const entry of queue) {
      const probed = await probeOne(entry, options, patience);
      if (options.onProbed(entry, probed)) patience.failed();
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.parallelism, options.entries.length) }, worker));
}

async function probeOne(entry: KeyEntry, options: ProbePassOptions, patience: Patience): Promise<Probed> {
  const { signal } = patience;
  const context = { ...options.context, signal };
  const started = performance.now();
  let last: AnyBackendError | undefined;
  for (let retries = 0; ; retries++) {
    try {
      signal.throwIfAborted();
      const probe = await abortable(probeKey(entry, options.backendOf(entry), context), signal);
      patience.answered();
      return { probe, retries };
    } catch (failure) {
      // What the backend said last tells more than that the time was up.
      if (signal.aborted) return { error: last ?? asBackendError(signal.reason), retries };
      last = asBackendError(failure);
      if (last.code !== "UNAVAILABLE" || last.details.permanent) {
        patience.answered();
        return { error: last, retries };
      }
      options.onRetry?.(entry, last);
      const delay = retryDelay(retries, last.details.retryAfterMs);
      if (performance.now() - started + delay > options.limits.stallMs) return { error: last, retries };
      await abortableDelay(delay, signal).catch(() => undefined);
    }
  }
}

/** Doubles from a quarter of a second to four, never under what the backend asks for; spread, so that hosts do not march in step. */
function retryDelay(retries: number, retryAfterMs = 0): number {
  const growing = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** retries);
  return Math.max(Math.min(retryAfterMs, LONGEST_DELAY_MS), growing) * (1 + Math.random() / 4);
}
