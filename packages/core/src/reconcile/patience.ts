import type { CallContext } from "../call-context.js";
import { BackendError } from "../errors.js";

/** How long a pass goes on without getting anywhere; milliseconds. */
export interface PatienceLimits {
  /** Since any backend gave an answer, and for one key with all its retries. */
  readonly stallMs: number;
  /** Since the first key failed: time to list the other failures, no more. */
  readonly afterFailureMs: number;
}

/**
 * Ends a pass that cannot succeed any more, and never one that makes progress: a large catalog may take minutes.
 * A pass that fails ends `stallMs + afterFailureMs` after its last good answer at the latest.
 */
export class Patience implements Disposable {
  readonly #limits: PatienceLimits;
  readonly #controller = new AbortController();
  readonly #stop = new AbortController();
  readonly signal: AbortSignal;
  #stall: NodeJS.Timeout | undefined;
  #failure: NodeJS.Timeout | undefined;

  constructor(context: CallContext, limits: PatienceLimits) {
    this.#limits = limits;
    this.signal = this.#controller.signal;
    const cancelled = () => this.#controller.abort(callerGone(context));
    if (context.signal.aborted) cancelled();
    else context.signal.addEventListener("abort", cancelled, { signal: this.#stop.signal });
    if (context.deadline !== undefined) this.#endAt(context, context.deadline);
    this.answered();
  }

  /** A backend gave an answer, whichever. */
  answered(): void {
    clearTimeout(this.#stall);
    this.#stall = this.#after(this.#limits.stallMs, "no backend has answered");
  }

  /** A key failed, so the run will. */
  failed(): void {
    this.#failure ??= this.#after(this.#limits.afterFailureMs, "another key had failed before");
  }

  /** Lets go of whoever still waits on the signal. */
  [Symbol.dispose](): void {
    this.#controller.abort(new BackendError("CANCELLED", "the pass is over", {}));
    this.#stop.abort();
    clearTimeout(this.#stall);
    clearTimeout(this.#failure);
  }

  #after(ms: number, what: string): NodeJS.Timeout {
    const error = new BackendError("UNAVAILABLE", `given up: ${what} for ${ms / 1000} s`, {});
    return setTimeout(() => this.#controller.abort(error), ms);
  }

  #endAt(context: CallContext, deadline: number): void {
    const timer = setTimeout(() => this.#controller.abort(callerGone(context)), Math.max(0, deadline - Date.now()));
    this.#stop.signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  }
}

function callerGone({ deadline }: CallContext): BackendError {
  return deadline !== undefined && Date.now() >= deadline
    ? new BackendError("DEADLINE_EXCEEDED", "the deadline passed", {})
    : new BackendError("CANCELLED", "cancelled", {});
}
