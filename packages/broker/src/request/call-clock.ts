import { BrokerError } from "../errors.js";
import { unavailable } from "./backend-answers.js";

/** The caller of a request, as its transport sees it. */
export interface CallerPresence {
  readonly cancelled: boolean;
  /** Called once when the caller goes away before the request is answered. */
  onCancel: (() => void) | undefined;
}

export interface CallOptions {
  /** Says when the caller goes away. */
  readonly caller?: CallerPresence | undefined;
  /** The first value of a field of the request's metadata; the name is in lower case. */
  readonly metadata?: ((name: string) => string | undefined) | undefined;
  /** Milliseconds since the epoch. */
  readonly deadline?: number | undefined;
  /**
   * Called once no code reads the request any more, so that its owner may zero it. Not called when a backend failed or was
   * given up on: it may be reading still.
   */
  readonly released?: (() => void) | undefined;
}

/**
 * The one deadline and the one signal of a request. It aborts when the caller goes away, at the caller's deadline, after the
 * time a backend gets, and when the broker stops. The reason is what the caller sees.
 */
export class CallClock implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #op: string;
  readonly #caller: CallerPresence | undefined;

  constructor(op: string, { caller, deadline = Number.POSITIVE_INFINITY }: CallOptions, backendTimeoutMs: number) {
    this.#op = op;
    this.#caller = caller;
    const remaining = deadline - Date.now();
    this.#timer = setTimeout(
      () => {
        const late = remaining <= backendTimeoutMs;
        this.#controller.abort(
          late
            ? new BrokerError("DEADLINE_EXCEEDED", "deadline exceeded", { op })
            : unavailable(op, new Error(`no answer in ${backendTimeoutMs} ms`)),
        );
      },
      Math.max(0, Math.min(remaining, backendTimeoutMs)),
    );
    if (caller === undefined) return;
    caller.onCancel = () => this.cancel("the caller went away");
    if (caller.cancelled) caller.onCancel();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Gives the request up. @param cause - For the operator's log. */
  cancel(cause: string): void {
    this.#controller.abort(new BrokerError("CANCELLED", "cancelled", { op: this.#op }, { cause: new Error(cause) }));
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    if (this.#caller !== undefined) this.#caller.onCancel = undefined;
  }
}
