interface Flight {
  readonly result: Promise<unknown>;
  readonly stop: AbortController;
  waiting: number;
}

/** Identical calls that overlap are made once. A caller that leaves takes nobody with it; when all left, the call is dropped. */
export class SingleFlight {
  readonly #flights = new Map<string, Flight>();

  /**
   * @param id - Equal for calls that are interchangeable, their result type included.
   * @param start - Makes the call; its signal aborts when no caller waits any more.
   */
  async run<T>(id: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const flight = this.#flights.get(id) ?? this.#launch(id, start);
    flight.waiting += 1;
    let leave: (() => void) | undefined;
    try {
      return (await Promise.race([
        flight.result,
        new Promise<never>((_, reject) => {
          leave = () => reject(signal.reason);
          signal.addEventListener("abort", leave, { once: true });
        }),
      ])) as T;
    } finally {
      if (leave) signal.removeEventListener("abort", leave);
      flight.waiting -= 1;
      if (flight.waiting === 0) {
        if (this.#flights.get(id) === flight) this.#flights.delete(id);
        flight.stop.abort();
      }
    }
  }

  /**
   * As `run`, but joins only a call that starts after this one was asked for: one that is under way may have seen the
   * world as it was before.
   */
  async runAfresh<T>(id: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#flights.has(id)) await this.run(id, signal, start).catch(() => {});
    return this.run(id, signal, start);
  }

  #launch<T>(id: string, start: (signal: AbortSignal) => Promise<T>): Flight {
    const stop = new AbortController();
    const flight: Flight = { result: start(stop.signal), stop, waiting: 0 };
    this.#flights.set(id, flight);
    const land = () => {
      if (this.#flights.get(id) === flight) this.#flights.delete(id);
    };
    flight.result.then(land, land);
    return flight;
  }
}
