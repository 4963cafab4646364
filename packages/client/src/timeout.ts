/** The longest timer there is, some 24 days: a longer one would fire at once, here and in the broker's gRPC. */
const LONGEST_MS = 0x7fff_ffff;

/**
 * A time limit as it is kept: `Infinity` for one that no timer can hold.
 *
 * @throws TypeError for anything but a positive number of milliseconds.
 */
export function timeLimit(timeoutMs: unknown, name = "timeoutMs"): number {
  if (typeof timeoutMs !== "number" || !(timeoutMs > 0)) {
    throw new TypeError(`${name} must be a positive number of milliseconds or Infinity, not ${String(timeoutMs)}`);
  }
  return timeoutMs > LONGEST_MS ? Number.POSITIVE_INFINITY : timeoutMs;
}
