import { BackendError, type BackendErrorCode, type CallContext, type KeyRef, within } from "@basil/core";
import type { Breaker } from "./breaker.js";
import type { KmsAction, KmsAnswer, KmsCalls, KmsInput } from "./client.js";
import { INVALID_SIGNATURE, kmsError } from "./errors.js";
import type { KmsObserver } from "./observer.js";
import { SingleFlight } from "./single-flight.js";

export interface GuardedCallsOptions {
  /** Milliseconds one operation may take in all, retries included, however patient its caller. */
  readonly operationTimeoutMs: number;
  readonly breaker: Breaker;
  readonly observer?: KmsObserver;
  /** Where KMS is, for messages. */
  readonly region?: string;
}

/** How much earlier than it is set a timer may fire, by the clock that is read here. */
const EARLY_MS = 2;

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

  async call<A extends KmsAction>(
    action: A,
    key: KeyRef,
    input: KmsInput<A>,
    context: CallContext,
  ): Promise<KmsAnswer<A>> {
    throwIfStopped(context);
    return this.#send(action, key, input, context);
  }

  /** As `call`, but identical calls that overlap are made once. For reads that name one key. */
  callOnce<A extends "DescribeKey" | "GetPublicKey">(
    action: A,
    key: KeyRef,
    input: KmsInput<A>,
    context: CallContext,
  ): Promise<KmsAnswer<A>> {
    return whileWanted(context, (signal) =>
      this.#flights.run(`${action} ${input.KeyId} ${key.name}`, signal, (all) =>
        this.#send(action, key, input, { signal: all }),
      ),
    );
  }

  close(): void {
    this.#calls.close();
  }

  async #send<A extends KmsAction>(
    action: A,
    key: KeyRef,
    input: KmsInput<A>,
    context: Pick<CallContext, "signal" | "deadline">,
  ): Promise<KmsAnswer<A>> {
    const { signal, deadline } = context;
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
    const callersMs = deadline === undefined ? Number.POSITIVE_INFINITY : deadline - Date.now();
    const endsAt = started + Math.min(operationTimeoutMs, callersMs);
    try {
      const answer = await this.#calls.call(action, input, signal, endsAt);
      answered();
      observe("ok", answer.attempts, answer.requestId);
      return answer;
    } catch (failure) {
      const late = callersMs < operationTimeoutMs && performance.now() >= endsAt - EARLY_MS;
      const stopped = late ? deadlineExceeded() : stoppedBy(context);
      if (stopped) {
        observe(stopped.code, attemptsOf(failure));
        throw stopped;
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
  const stopped = stoppedBy(context);
  if (stopped) throw stopped;
}

function stoppedBy({ signal, deadline }: Pick<CallContext, "signal" | "deadline">): BackendError | undefined {
  if (deadline !== undefined && Date.now() >= deadline) return deadlineExceeded();
  return signal.aborted ? goneBy(signal) : undefined;
}

/** Runs `work` until it ends or the caller leaves. @throws {@link BackendError} `DEADLINE_EXCEEDED` or `CANCELLED` */
export async function whileWanted<T>(context: CallContext, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  throwIfStopped(context);
  const { signal, deadline = Number.POSITIVE_INFINITY } = context;
  try {
    return await within(deadline - Date.now(), signal, work, { late: deadlineExceeded });
  } catch (failure) {
    throw signal.aborted ? goneBy(signal) : failure;
  }
}

function goneBy({ reason }: AbortSignal): BackendError {
  if (reason instanceof BackendError) return reason;
  if (reason instanceof Error && reason.name === "TimeoutError") return deadlineExceeded();
  return new BackendError("CANCELLED", "the caller went away before AWS KMS answered", {});
}

function deadlineExceeded(): BackendError {
  return new BackendError("DEADLINE_EXCEEDED", "the caller's deadline passed before AWS KMS answered", {});
}

function attemptsOf(failure: unknown): number {
  return (failure as { $metadata?: { attempts?: number } } | null)?.$metadata?.attempts ?? 1;
}
