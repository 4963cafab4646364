/** The emulator's time: the source's, plus whatever it was moved ahead. */
export class Clock {
  readonly #source: () => number;
  #ahead = 0;

  constructor(source: () => number = Date.now) {
    this.#source = source;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#source() + this.#ahead;
  }

  /** Moves time ahead: keys fall due, sessions expire, propagation ends. */
  advance(milliseconds: number): void {
    if (!Number.isFinite(milliseconds) || milliseconds < 0)
      throw new TypeError("advance: milliseconds must be 0 or more");
    this.#ahead += milliseconds;
  }
}
