import { BackendError, type CallContext, type KeyRef } from "@basil/core";
import type { KmsAction, KmsAnswer, KmsCalls, KmsInput } from "./client.js";
import { kmsError } from "./errors.js";

export interface GuardedCallsOptions {
  /** Milliseconds one operation may take in all, retries included, however patient its caller. */
  readonly operationTimeoutMs: number;
}

/**
 * The wire to KMS with what every operation shares: the caller's signal and deadline, a time limit of its own, and the
 * one mapping of failures.
 */
export class GuardedCalls {
  readonly #calls: KmsCalls;
  readonly #operationTimeoutMs: number;

  constructor(calls: KmsCalls, options: GuardedCallsOptions) {
    this.#calls = calls;
    this.#operationTimeoutMs = options.operationTimeoutMs;
  }

  /**
   * @throws {@link BackendError} as `errors.ts` maps them; `CANCELLED` or `DEADLINE_EXCEEDED` as soon as the caller's
   *   signal aborts or its deadline passes; `UNAVAILABLE` when the operation takes longer than its limit.
   */
  async call<A extends KmsAction>(
    action: A,
    key: KeyRef,
    input: KmsInput<A>,
    context: CallContext,
  ): Promise<KmsAnswer<A>> {
    const keyId = "KeyId" in input ? input.KeyId : undefined;
    const subject = { action, key, ...(keyId !== undefined && { keyId }) };
    throwIfStopped(context);
    const stop = new AbortController();
    const limit = setTimeout(() => stop.abort(), this.#timeLeft(context));
    const onAbort = () => stop.abort();
    context.signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await untilAborted(this.#calls.call(action, input, stop.signal), stop.signal);
    } catch (failure) {
      if (!stop.signal.aborted) throw kmsError(subject, failure);
      throwIfStopped(context, failure);
      const timeout = Object.assign(new Error(`no answer within ${this.#operationTimeoutMs} ms`, { cause: failure }), {
        name: "TimeoutError",
      });
      throw kmsError(subject, timeout);
    } finally {
      clearTimeout(limit);
      context.signal.removeEventListener("abort", onAbort);
    }
  }

  close(): void {
    this.#calls.close();
  }

  #timeLeft({ deadline }: CallContext): number {
    return deadline === undefined
      ? this.#operationTimeoutMs
      : Math.min(this.#operationTimeoutMs, deadline - Date.now());
  }
}

/** @throws {@link BackendError} `DEADLINE_EXCEEDED` or `CANCELLED` when the caller no longer waits. */
export function throwIfStopped({ signal, deadline }: CallContext, cause?: unknown): void {
  const options = cause === undefined ? {} : { cause };
  const { reason } = signal as { reason?: unknown };
  const timedOut = signal.aborted && reason instanceof Error && reason.name === "TimeoutError";
  if (timedOut || (deadline !== undefined && Date.now() >= deadline)) {
    throw new BackendError("DEADLINE_EXCEEDED", "the caller's deadline passed before AWS KMS answered", {}, options);
  }
  if (signal.aborted) throw new BackendError("CANCELLED", "the caller went away", {}, options);
}

/** Some of the wire, such as finding credentials, does not listen to a signal; nobody waits for it longer than this. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
