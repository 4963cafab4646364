import { FairQueue, type Flow } from "./fair-queue.js";

/** A connection with bytes that were received and not handled. */
export interface Reader extends Flow {
  /** The user; all connections of one share one turn. */
  readonly owner: number;
}

/** What a connection, and a user, may use before the next one's turn, in bytes: those of one stream that opens. */
const QUANTUM = 16_384;
/** Milliseconds of work before the event loop gets its turn: timers, answers of backends, other connections. */
const TURN_MS = 5;

/** The connections of one user. */
class User implements Flow {
  readonly queue = new FairQueue<Reader>(QUANTUM);

  get ready(): boolean {
    return this.queue.ready;
  }

  work(budget: number): number {
    return this.queue.work(budget);
  }
}

/**
 * Divides the process's time between connections: by user first, then by connection, both by {@link FairQueue}. While the
 * work of a turn of the event loop takes less than 5 ms, whatever is received is handled at once; what exceeds that waits.
 */
export class ReadSchedule {
  readonly #users = new Map<number, User>();
  readonly #queue = new FairQueue<User>(QUANTUM);
  readonly #clock: () => number;
  #turnBegan: number | undefined;
  #scheduled = false;

  /** @param clock - Milliseconds, as `performance.now()`. */
  constructor(clock = () => performance.now()) {
    this.#clock = clock;
  }

  /** Whether a connection waits. */
  get busy(): boolean {
    return this.#queue.ready;
  }

  /** The connection has work. It is done now, or in the connection's turn. */
  add(reader: Reader): void {
    if (!this.#queue.ready && this.#hasTime()) {
      reader.work(QUANTUM);
      if (!reader.ready) return;
    }
    const user = this.#users.get(reader.owner) ?? new User();
    this.#users.set(reader.owner, user);
    user.queue.add(reader);
    this.#queue.add(user);
    this.#schedule();
  }

  /** The connection is closed. */
  remove(reader: Reader): void {
    const user = this.#users.get(reader.owner);
    user?.queue.remove(reader);
    if (user === undefined || user.ready) return;
    this.#users.delete(reader.owner);
    this.#queue.remove(user);
  }

  #hasTime(): boolean {
    const now = this.#clock();
    if (this.#turnBegan === undefined) {
      this.#turnBegan = now;
      setImmediate(() => {
        this.#turnBegan = undefined;
      });
      return true;
    }
    return now - this.#turnBegan < TURN_MS;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#run(this.#clock());
    });
  }

  /** Lets one connection work, then, after what it started has gone on, the next one, until the turn is over. */
  #run(began: number): void {
    this.#queue.work(QUANTUM);
    if (!this.#queue.ready) this.#users.clear();
    else if (this.#clock() - began >= TURN_MS) this.#schedule();
    else queueMicrotask(() => this.#run(began));
  }
}
