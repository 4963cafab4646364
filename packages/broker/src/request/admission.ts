import { BrokerError } from "../errors.js";

export interface AdmissionLimits {
  /** Requests at work at a time, of all callers. */
  readonly maxInFlight: number;
  /** Requests at work at a time, of one caller. */
  readonly maxInFlightPerCaller: number;
  /** Requests of one caller that wait for their turn. */
  readonly maxWaitingPerCaller: number;
}

/** Milliseconds a caller is asked to wait when its queue is full. */
const RETRY_AFTER_MS = 100;

interface Caller {
  active: number;
  readonly waiting: Set<() => void>;
}

/**
 * Who may work now. Callers that want more than there is take turns, one request each, so that a busy one delays the
 * others by no more than the requests that are at work.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  /** In the order of whose turn it is. */
  readonly #callers = new Map<string, Caller>();
  #active = 0;
  #waiting = 0;

  /** Requests at work. */
  get active(): number {
    return this.#active;
  }

  /** Requests that wait for their turn. */
  get waiting(): number {
    return this.#waiting;
  }

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /**
   * Settles when the caller's turn has come; the function it gives ends the turn.
   *
   * @throws {@link BrokerError} `LIMIT_EXCEEDED` when too many of its requests wait; the signal's reason when that aborts.
   */
  enter(name: string, op: string, signal: AbortSignal): Promise<() => void> | (() => void) {
    signal.throwIfAborted();
    const caller = this.#caller(name);
    if (caller.waiting.size === 0 && this.#mayWork(caller)) return this.#begin(name, caller);
    if (caller.waiting.size >= this.#limits.maxWaitingPerCaller) {
      const message = `more than ${this.#limits.maxWaitingPerCaller} requests of this caller are waiting`;
      throw new BrokerError("LIMIT_EXCEEDED", message, { op, retryAfterMs: RETRY_AFTER_MS });
    }
    return this.#wait(name, caller, signal);
  }

  #wait(name: string, caller: Caller, signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        caller.waiting.delete(start);
        this.#waiting -= 1;
        this.#forget(name, caller);
        reject(signal.reason);
      };
      const start = () => {
        signal.removeEventListener("abort", abort);
        resolve(this.#begin(name, caller));
      };
      caller.waiting.add(start);
      this.#waiting += 1;
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  #begin(name: string, caller: Caller): () => void {
    caller.active += 1;
    this.#active += 1;
    let working = true;
    return () => {
      if (!working) return;
      working = false;
      caller.active -= 1;
      this.#active -= 1;
      this.#forget(name, caller);
      this.#next();
    };
  }

  /** The first caller in turn that waits and may work; it then goes to the end of the line. */
  #next(): void {
    for (const [name, caller] of this.#callers) {
      const [start] = caller.waiting;
      if (start === undefined || !this.#mayWork(caller)) continue;
      this.#callers.delete(name);
      this.#callers.set(name, caller);
      caller.waiting.delete(start);
      this.#waiting -= 1;
      start();
      return;
    }
  }

  #mayWork({ active }: Caller): boolean {
    return this.#active < this.#limits.maxInFlight && active < this.#limits.maxInFlightPerCaller;
  }

  #caller(name: string): Caller {
    let caller = this.#callers.get(name);
    if (caller === undefined) {
      caller = { active: 0, waiting: new Set() };
      this.#callers.set(name, caller);
    }
    return caller;
  }

  #forget(name: string, caller: Caller): void {
    if (caller.active === 0 && caller.waiting.size === 0) this.#callers.delete(name);
  }
}
