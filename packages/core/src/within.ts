/** The longest delay of a timer in Node.js, some 24 days; a longer one would fire at once. */
const LONGEST_TIMER_MS = 0x7fff_ffff;

export interface WithinOptions {
  /** Makes the error for a time limit that passed. Default: an `Error` with the name `TimeoutError`. */
  readonly late?: () => unknown;
  /** Whether the timer lets the process end while `work` is pending. Default: false. */
  readonly unref?: boolean;
}

/**
 * Runs `work` for at most `ms` milliseconds. `work` receives a signal that aborts when the time is over or `signal` aborts.
 * The result rejects with the same reason at that moment, also when `work` ignores its signal.
 *
 * @param ms - More than 24 days, `Infinity` included, is no limit; 0 or less passes in the next turn of the event loop.
 * @param signal - The caller's. If it has aborted already, `work` is not started.
 */
export async function within<T>(
  ms: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => PromiseLike<T> | T,
  { late = () => timeoutError(ms), unref = false }: WithinOptions = {},
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal?.reason);
  const timer = ms > LONGEST_TIMER_MS ? undefined : setTimeout(() => controller.abort(late()), Math.max(0, ms));
  if (unref) timer?.unref();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await new Promise<T>((resolve, reject) => {
      controller.signal.addEventListener("abort", () => reject(controller.signal.reason), { once: true });
      Promise.resolve(work(controller.signal)).then(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

function timeoutError(ms: number): Error {
  return Object.assign(new Error(`no answer within ${Math.ceil(ms)} ms`), { name: "TimeoutError" });
}
