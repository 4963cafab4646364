import { BackendError } from "../errors.js";

/** A signal that aborts after `ms` with `UNAVAILABLE` and the message; disposed of, it never does. */
export class TimeLimit implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(ms: number, message: string) {
    this.#timer = setTimeout(() => this.#controller.abort(new BackendError("UNAVAILABLE", message, {})), ms);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
