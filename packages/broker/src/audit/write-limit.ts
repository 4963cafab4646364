interface Pending {
  readonly endsAt: number;
  readonly late: () => void;
}

/** Limits how long a write may take. All writes share one timer, so that a request needs none of its own for its record. */
export class WriteLimit {
  readonly #ms: number;
  /** In the order of their ends, which is that of their starts. */
  readonly #pending = new Set<Pending>();
  #timer: NodeJS.Timeout | undefined;

  /** @param ms - Milliseconds for each write. */
  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Settles as the write does, or rejects once it has taken too long. */
  wait(write: Promise<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`the audit log took no record within ${this.#ms} ms`));
      const pending = { endsAt: performance.now() + this.#ms, late };
      this.#pending.add(pending);
      if (this.#timer === undefined) this.#timer = setTimeout(() => this.#check(), this.#ms);
      else this.#timer.ref();
      const settled = () => {
        this.#pending.delete(pending);
        // The timer stays for the next write. It must not keep a process that waits for none.
        if (this.#pending.size === 0) this.#timer?.unref();
      };
      write.then(
        () => {
          settled();
          resolve();
        },
        (error: unknown) => {
          settled();
          reject(error);
        },
      );
    });
  }

  #check(): void {
    this.#timer = undefined;
    for (const pending of this.#pending) {
      const left = pending.endsAt - performance.now();
      if (left > 0) {
        this.#timer = setTimeout(() => this.#check(), Math.ceil(left));
        return;
      }
      this.#pending.delete(pending);
      pending.late();
    }
  }
}
