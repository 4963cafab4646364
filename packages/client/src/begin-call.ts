import { ClientError } from "./errors.js";
import { timeLimit } from "./timeout.js";
import type { CallOptions } from "./transport.js";

/** What holds before any request leaves, whatever the transport. */
export interface CallDefaults {
  /** For a call without a `timeoutMs`. */
  readonly timeoutMs: number;
  readonly closed: boolean;
}

/**
 * @returns the milliseconds the call has.
 * @throws TypeError for a `timeoutMs` that is none; {@link ClientError} `CLOSED`, or `CANCELLED` when its signal has aborted.
 */
export function beginCall({ signal, timeoutMs }: CallOptions, defaults: CallDefaults): number {
  const limit = timeLimit(timeoutMs ?? defaults.timeoutMs);
  if (defaults.closed) throw new ClientError("CLOSED", "the client was closed", {});
  if (!signal?.aborted) return limit;
  throw new ClientError("CANCELLED", "the call was cancelled before it began", {}, { cause: signal.reason });
}
