/**
 * Runs `work` until it ends, the signal aborts or the time is over. The AWS SDK does not listen to its signal everywhere, for
 * example while it finds credentials.
 *
 * @throws an error named `TimeoutError` when the time is over.
 */
export async function withinLimit<T>(
  milliseconds: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const timeout = () =>
    stop.abort(Object.assign(new Error(`no answer within ${Math.ceil(milliseconds)} ms`), { name: "TimeoutError" }));
  const limit = setTimeout(timeout, milliseconds);
  const onAbort = () => stop.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await new Promise((resolve, reject) => {
      stop.signal.addEventListener("abort", () => reject(stop.signal.reason), { once: true });
      work(stop.signal).then(resolve, reject);
    });
  } finally {
    clearTimeout(limit);
    signal.removeEventListener("abort", onAbort);
  }
}
