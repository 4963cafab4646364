import { BrokerError } from "../errors.js";
import { unavailable } from "./backend-answers.js";

export interface CallOptions {
  /** The caller went away. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds since the epoch. */
  readonly deadline?: number | undefined;
  /**
   * Told once nobody reads the request any more, so that its owner may zero it. Not told when a backend failed or was
   * given up on: it may be reading still.
   */
  readonly released?: (() => void) | undefined;
}

/** Joins what can end a call: its caller, its deadline, and the time a backend gets. The reason is what the caller sees. */
export class CallClock implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #sources: readonly AbortSignal[];
  readonly #onAbort: () => void;

  /** @param stopped - Aborts when the broker stops waiting for anyone. */
  constructor(
    op: string,
    { signal, deadline = Number.POSITIVE_INFINITY }: CallOptions,
    stopped: AbortSignal,
    backendTimeoutMs: number,
  ) {
    const remaining = deadline - Date.now();
    const ending =
      remaining <= backendTimeoutMs
        ? () => new BrokerError("DEADLINE_EXCEEDED", "deadline exceeded", { op })
        : () => unavailable(op, new Error(`no answer in ${backendTimeoutMs} ms`));
    const ms = Math.max(0, Math.min(remaining, backendTimeoutMs));
    this.#timer = setTimeout(() => this.#controller.abort(ending()), ms);
    this.#sources = signal === undefined ? [stopped] : [signal, stopped];
    this.#onAbort = () => {
      const cause: unknown = this.#sources.find(({ aborted }) => aborted)?.reason;
      this.#controller.abort(new BrokerError("CANCELLED", "cancelled", { op }, { cause }));
    };
    for (const source of this.#sources) {
      if (source.aborted) this.#onAbort();
      else source.addEventListener("abort", this.#onAbort, { once: true });
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const source of this.#sources) source.removeEventListener("abort", this.#onAbort);
  }
}
