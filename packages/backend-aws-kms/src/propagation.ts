import { setTimeout as sleep } from "node:timers/promises";
import { type CallContext, isBackendError } from "@basil/core";
import { throwIfStopped } from "./guarded-calls.js";

/** Between two looks for what was just made, doubled each time. KMS allows 2,000 DescribeKey and 5 CreateAlias a second. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;

/**
 * KMS is eventually consistent: what was just made may be NotFound for some seconds. Repeats `look` while it ends in
 * `KEY_NOT_FOUND`, for at most `timeoutMs`; then that is thrown.
 */
export async function oncePropagated<T>(context: CallContext, timeoutMs: number, look: () => Promise<T>): Promise<T> {
  const until = performance.now() + timeoutMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      return await look();
    } catch (error) {
      if (!isBackendError(error) || error.code !== "KEY_NOT_FOUND" || performance.now() >= until) throw error;
    }
    await sleep(pause, undefined, { signal: context.signal }).catch(() => throwIfStopped(context));
    throwIfStopped(context);
  }
}
