export interface BreakerOptions {
  /** Failures in a row before it opens. */
  readonly failures: number;
  /** Milliseconds the row must have lasted. A short burst of failures opens nothing. */
  readonly sustainedMs: number;
  /** Milliseconds between two calls let through while it is open. */
  readonly probeIntervalMs: number;
}

const DEFAULT_BREAKER: BreakerOptions = { failures: 10, sustainedMs: 5000, probeIntervalMs: 1000 };

interface Row {
  failures: number;
  readonly since: number;
  open: boolean;
  nextProbe: number;
}

/**
 * Lets callers fail fast while something is down for good, one row of failures a scope. It opens after sustained
 * failure, then lets one call through each interval, and closes on the first success, whoever had it.
 */
export class Breaker {
  readonly #rows = new Map<string, Row>();
  readonly #options: BreakerOptions;
  readonly #now: () => number;

  constructor(options: BreakerOptions = DEFAULT_BREAKER, now: () => number = () => performance.now()) {
    this.#options = options;
    this.#now = now;
  }

  /** Milliseconds until a call may go, 0 when it may go now. A call that may go while open is the probe. */
  admit(scope: string): number {
    const row = this.#rows.get(scope);
    if (!row?.open) return 0;
    const wait = row.nextProbe - this.#now();
    if (wait > 0) return Math.ceil(wait);
    row.nextProbe = this.#now() + this.#options.probeIntervalMs;
    return 0;
  }

  /** @returns true when this failure opened it. */
  failed(scope: string): boolean {
    const now = this.#now();
    const row = this.#rows.get(scope) ?? { failures: 0, since: now, open: false, nextProbe: 0 };
    row.failures += 1;
    this.#rows.set(scope, row);
    if (row.open || row.failures < this.#options.failures || now - row.since < this.#options.sustainedMs) return false;
    row.open = true;
    row.nextProbe = now + this.#options.probeIntervalMs;
    return true;
  }

  /** @returns true when this success closed it. */
  succeeded(scope: string): boolean {
    const row = this.#rows.get(scope);
    if (row) this.#rows.delete(scope);
    return row?.open ?? false;
  }

  /** How many scopes are open. */
  get open(): number {
    return [...this.#rows.values()].filter(({ open }) => open).length;
  }
}
