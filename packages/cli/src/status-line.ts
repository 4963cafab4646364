import { escapeField } from "./escape-text.js";

/** What is written where a person looks, besides results and messages. */
export interface StatusScreen {
  /** As it is, without a newline. */
  write(text: string): void;
  /** Milliseconds from some beginning. */
  now(): number;
  /** Calls back again and again, without keeping the process alive; returns how to stop it. */
  every(milliseconds: number, callback: () => void): () => void;
}

/** When a wait is long enough to be told. */
const TELL_AFTER_MS = 1000;
const EVERY_MS = 250;
/** To the beginning of the line, and clear it (ECMA-48 EL). */
const CLEAR = "\r\u001b[K";

/** What is waited for; a function is asked anew each time, to tell how far it is. */
export type Waiting = string | (() => string);

interface Wait {
  readonly what: Waiting;
  since: number;
}

/** One line that tells what takes longer than a second; it goes before anything else is written. */
export class StatusLine {
  readonly #screen: StatusScreen;
  readonly #waits: Wait[] = [];
  #asking = 0;
  #shown = "";
  #shownFor: Wait | undefined;
  #stop: (() => void) | undefined;

  constructor(screen: StatusScreen) {
    this.#screen = screen;
  }

  /** Tells `what` from a second on, until it is disposed of; of several, what began last. */
  working(what: Waiting): Disposable {
    const wait = { what, since: this.#screen.now() };
    this.#waits.push(wait);
    this.#stop ??= this.#screen.every(EVERY_MS, () => this.#tell());
    return {
      [Symbol.dispose]: () => {
        const at = this.#waits.indexOf(wait);
        if (at >= 0) this.#waits.splice(at, 1);
        if (this.#shownFor === wait) this.clear();
        if (this.#waits.length > 0) return;
        this.#stop?.();
        this.#stop = undefined;
      },
    };
  }

  /** While somebody is asked nothing is told; the time of the answer is not that of the work. */
  asking(): Disposable {
    this.#asking += 1;
    this.clear();
    return {
      [Symbol.dispose]: () => {
        this.#asking -= 1;
        for (const wait of this.#waits) wait.since = this.#screen.now();
      },
    };
  }

  /** Before anything else is written. */
  clear(): void {
    if (this.#shown === "") return;
    this.#screen.write(CLEAR);
    this.#shown = "";
    this.#shownFor = undefined;
  }

  #tell(): void {
    const now = this.#screen.now();
    const wait = this.#waits.findLast(({ since }) => now - since >= TELL_AFTER_MS);
    if (wait === undefined || this.#asking > 0) return;
    const what = typeof wait.what === "string" ? wait.what : wait.what();
    const text = `${escapeField(what)} … ${Math.floor((now - wait.since) / 1000)} s`;
    if (text === this.#shown) return;
    this.#screen.write(`${CLEAR}${text}`);
    this.#shown = text;
    this.#shownFor = wait;
  }
}
