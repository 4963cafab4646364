import { AdminService, HealthCheckResponse_ServingStatus as Status } from "@basil/proto";
import { BrokerError } from "../errors.js";
import { RETRY_AFTER_MS } from "../request/backend-answers.js";
import type { EndlessStream } from "../request/handler.js";

/** What the status of a service is asked by: the names of this protocol. */
const SERVICES: ReadonlySet<string> = new Set(AdminService.file.services.map(({ typeName }) => typeName));
/** The server as a whole. */
const SERVER = "";

export type HealthSubject = "server" | "service" | "unknown";

/** The server as a whole has the empty name. */
export function healthSubject(service: string): HealthSubject {
  if (service === SERVER) return "server";
  return SERVICES.has(service) ? "service" : "unknown";
}

export interface HealthWatchesParts {
  /** Whether the services can do their work; it is asked over and over while somebody watches one. */
  readonly ready: () => Promise<boolean>;
  readonly limits: {
    readonly maxHealthWatches: number;
    readonly maxHealthWatchesPerUser: number;
    readonly healthWatchIntervalMs: number;
  };
}

/**
 * The open Watch streams of gRPC's health protocol. However many there are, readiness is asked for all of them at once, every
 * `healthWatchIntervalMs` and after {@link changed}; while nobody watches a service, nobody asks.
 */
export class HealthWatches {
  readonly #parts: HealthWatchesParts;
  readonly #watches = new Set<HealthWatch>();
  #known: Status | undefined;
  #looking: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(parts: HealthWatchesParts) {
    this.#parts = parts;
  }

  /**
   * The status of a service, now and whenever it changes. A reader who is behind sees the last one. It ends in NOT_SERVING
   * when the broker stops.
   *
   * @param user - Whose limit it counts against.
   * @throws {@link BrokerError} `LIMIT_EXCEEDED`.
   */
  watch(service: string, user: string): EndlessStream<Status> {
    const { maxHealthWatches, maxHealthWatchesPerUser } = this.#parts.limits;
    const theirs = [...this.#watches].filter((watch) => watch.user === user).length;
    if (this.#watches.size >= maxHealthWatches || theirs >= maxHealthWatchesPerUser) {
      const details = { op: "health_watch", retryAfterMs: RETRY_AFTER_MS };
      throw new BrokerError("LIMIT_EXCEEDED", "too many health watches are open", details);
    }
    const subject = healthSubject(service);
    const watch = new HealthWatch(subject, user, () => this.#forget(watch));
    if (this.#closed) {
      watch.stop();
      return watch;
    }
    this.#watches.add(watch);
    if (subject === "server") watch.tell(Status.SERVING);
    else if (subject === "unknown") watch.tell(Status.SERVICE_UNKNOWN);
    else if (this.#known !== undefined) watch.tell(this.#known);
    else if (this.#looking === undefined) this.changed();
    return watch;
  }

  /** Looks again now, if somebody watches. */
  changed(): void {
    if (this.#closed || !this.#isAnyServiceWatched()) return;
    if (this.#looking !== undefined) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#looking = this.#look().finally(() => {
      this.#looking = undefined;
      if (this.#again) this.changed();
      else this.#schedule();
    });
  }

  /** Ends every watch. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const watch of [...this.#watches]) watch.stop();
  }

  async #look(): Promise<void> {
    this.#again = false;
    const ready = await this.#parts.ready().catch(() => false);
    const status = ready ? Status.SERVING : Status.NOT_SERVING;
    this.#known = this.#isAnyServiceWatched() ? status : undefined;
    for (const watch of this.#watches) if (watch.subject === "service") watch.tell(status);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#closed || !this.#isAnyServiceWatched()) return;
    this.#timer = setTimeout(() => this.changed(), this.#parts.limits.healthWatchIntervalMs);
    this.#timer.unref();
  }

  #isAnyServiceWatched(): boolean {
    return [...this.#watches].some(({ subject }) => subject === "service");
  }

  #forget(watch: HealthWatch): void {
    this.#watches.delete(watch);
    if (this.#isAnyServiceWatched()) return;
    // What was true when the last one left is not what the next one asks for.
    this.#known = undefined;
    clearTimeout(this.#timer);
  }
}

class HealthWatch implements EndlessStream<Status> {
  readonly #forget: () => void;
  #waiting: Status | undefined;
  #told: Status | undefined;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(
    readonly subject: HealthSubject,
    readonly user: string,
    forget: () => void,
  ) {
    this.#forget = forget;
  }

  tell(status: Status): void {
    this.#waiting = status;
    this.#wake?.();
  }

  /** The broker stops: the last status, then the end. */
  stop(): void {
    if (this.subject !== "unknown") this.tell(Status.NOT_SERVING);
    this.end();
  }

  end(): void {
    this.#ended = true;
    this.#forget();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Status> {
    try {
      for (;;) {
        const status = this.#waiting;
        this.#waiting = undefined;
        if (status !== undefined && status !== this.#told) {
          this.#told = status;
          yield status;
        } else if (this.#ended) return;
        else {
          await new Promise<void>((wake) => {
            this.#wake = wake;
          });
        }
      }
    } finally {
      this.end();
    }
  }
}
