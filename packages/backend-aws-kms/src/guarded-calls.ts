import { BackendError, type BackendErrorCode, type CallContext, type KeyRef } from "@basil/core";
import type { Breaker } from "./breaker.js";
import type { KmsAction, KmsAnswer, KmsCalls, KmsInput } from "./client.js";
import { INVALID_SIGNATURE, kmsError } from "./errors.js";
import type { KmsObserver } from "./observer.js";
import { LONGEST_TIMER_MS } from "./options.js";
import { SingleFlight } from "./single-flight.js";

export interface GuardedCallsOptions {
  /** Milliseconds one operation may take in all, retries included, however patient its caller. */
  readonly operationTimeoutMs: number;
  readonly breaker: Breaker;
  readonly observer?: KmsObserver;
  /** Where KMS is, for messages. */
  readonly region?: string;
}

/**
 * The wire to KMS with what every operation shares: the caller's signal and deadline, a time limit of its own, the
 * breaker, the one mapping of failures, and the hooks for metrics.
 *
 * Every method throws {@link BackendError}: as `errors.ts` maps them; `CANCELLED` or `DEADLINE_EXCEEDED` as soon as the
 * caller's signal aborts or its deadline passes; `UNAVAILABLE` when the operation takes longer than its limit or the
 * breaker is open.
 */
export class GuardedCalls {
  readonly #calls: KmsCalls;
  readonly #options: GuardedCallsOptions;
  readonly #flights = new SingleFlight();

  constructor(calls: KmsCalls, options: GuardedCallsOptions) {
    this.#calls = calls;
    this.#options = options;
  }

  call<A extends KmsAction>(action: A, key: KeyRef, input: KmsInput<A>, context: CallContext): Promise<KmsAnswer<A>> {
    return whileWanted(context, (signal) => this.#send(action, key, input, signal));
  }

  /** As `call`, but identical calls that overlap are made once. For reads that name one key. */
  callOnce<A extends "DescribeKey" | "GetPublicKey">(
    action: A,
    key: KeyRef,
    input: KmsInput<A>,
    context: CallContext,
  ): Promise<KmsAnswer<A>> {
    return whileWanted(context, (signal) =>
      this.#flights.run(`${action} ${input.KeyId} ${key.name}`, signal, (all) => this.#send(action, key, input, all)),
    );
  }

  close(): void {
    this.#calls.close();
  }

  async #send<A extends KmsAction>(
    action: A,
    key: KeyRef,
    input: KmsInput<A>,
    signal: AbortSignal,
  ): Promise<KmsAnswer<A>> {
    const { breaker, operationTimeoutMs } = this.#options;
    const keyId = "KeyId" in input ? input.KeyId : undefined;
    const { region } = this.#options;
    const subject = {
      action,
      key,
      ...(keyId !== undefined && { keyId }),
      ...("KeySpec" in input && { keySpec: input.KeySpec }),
      ...(region !== undefined && { region }),
    };
    // One key that hangs says nothing of the others, and one throttled operation nothing of the rest.
    const scope = `${action} ${keyId ?? ""}`;
    const started = performance.now();
    const observe = (outcome: "ok" | BackendErrorCode, attempts: number, requestId?: string) =>
      this.#options.observer?.onCall?.({
        action,
        key: key.name,
        outcome,
        durationMs: performance.now() - started,
        attempts,
        ...(requestId !== undefined && { requestId }),
      });

    const waitMs = breaker.admit(scope);
    if (waitMs > 0) {
      observe("UNAVAILABLE", 0);
      throw new BackendError("UNAVAILABLE", `kms:${action} for key "${key.name}" has been failing and is held back`, {
        retryAfterMs: waitMs,
      });
    }
    const answered = () => {
      if (breaker.succeeded(scope)) this.#options.observer?.onBreaker?.({ action, key: key.name, state: "closed" });
    };
    try {
      const answer = await withinLimit(operationTimeoutMs, signal, (limited) =>
        this.#calls.call(action, input, limited),
      );
      answered();
      observe("ok", answer.attempts, answer.requestId);
      return answer;
    } catch (failure) {
      if (signal.aborted) {
        observe(signal.reason instanceof BackendError ? signal.reason.code : "CANCELLED", attemptsOf(failure));
        throw failure;
      }
      const error = kmsError(subject, failure);
      if (error.code !== "UNAVAILABLE") answered();
      else if (breaker.failed(scope)) this.#options.observer?.onBreaker?.({ action, key: key.name, state: "open" });
      observe(isWrongSignature(error) ? "ok" : error.code, attemptsOf(failure), error.backendRequestId);
      throw error;
    }
  }
}

/** True for the exception by which Verify says that a signature is not one of this key over this message. */
export function isWrongSignature(error: BackendError): boolean {
  return error.code === "REJECTED" && (error as BackendError<"REJECTED">).details.backendCode === INVALID_SIGNATURE;
}

/** @throws {@link BackendError} `DEADLINE_EXCEEDED` or `CANCELLED` when the caller no longer waits. */
export function throwIfStopped(context: CallContext): void {
  if (context.deadline !== undefined && Date.now() >= context.deadline) throw deadlineExceeded();
  if (context.signal.aborted) throw goneBy(context.signal);
}

/** Runs `work` until it ends or the caller leaves; its signal aborts with the {@link BackendError} that the caller gets. */
export async function whileWanted<T>(context: CallContext, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  throwIfStopped(context);
  const { signal, deadline = Number.POSITIVE_INFINITY } = context;
  const stop = new AbortController();
  const onAbort = () => stop.abort(goneBy(signal));
  const remaining = deadline - Date.now();
  const limit = remaining > LONGEST_TIMER_MS ? undefined : setTimeout(() => stop.abort(deadlineExceeded()), remaining);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await work(stop.signal);
  } catch (failure) {
    throw stop.signal.aborted ? stop.signal.reason : failure;
  } finally {
    clearTimeout(limit);
    signal.removeEventListener("abort", onAbort);
  }
}

/** Some of the wire, such as finding credentials, does not listen to a signal; nobody waits for it any longer than this. */
async function withinLimit<T>(
  milliseconds: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const timeout = () =>
    stop.abort(Object.assign(new Error(`no answer within ${milliseconds} ms`), { name: "TimeoutError" }));
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

function goneBy({ reason }: AbortSignal): BackendError {
  if (reason instanceof Error && reason.name === "TimeoutError") return deadlineExceeded();
  return new BackendError("CANCELLED", "the caller went away before AWS KMS answered", {});
}

function deadlineExceeded(): BackendError {
  return new BackendError("DEADLINE_EXCEEDED", "the caller's deadline passed before AWS KMS answered", {});
}

function attemptsOf(failure: unknown): number {
  return (failure as { $metadata?: { attempts?: number } } | null)?.$metadata?.attempts ?? 1;
}
