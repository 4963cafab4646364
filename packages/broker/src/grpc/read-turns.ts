/** A connection whose reading can be put off. */
export interface Reader {
  /** The user; readers of one have one share of the turns. */
  readonly owner: number;
  /** Bytes read so far. */
  readonly bytesRead: number;
  start(): void;
  stop(): void;
}

/** What one had of the process since turns began: bytes read, and {@link STREAM_COST} for each stream. */
interface Share {
  had: number;
  /** Of which time of turns that is; what one had before is forgotten. */
  time: number;
  /** What the one had whose turn came last, of those below. */
  pace: number;
}

interface Owner extends Share {
  readers: number;
}

interface Seat extends Share {
  readonly reader: Reader;
  readonly owner: Owner;
  /** `bytesRead` when it was looked at last. */
  mark: number;
  /** What it had lately, half of it forgotten each second, and which second that is. */
  recent: number;
  second: number;
}

/** Milliseconds that reading may take before those that ask much stop, and before all do. */
const TURN_MS = 20;
const LONG_TURN_MS = 100;
/** A stream takes about as much time as reading this many bytes. */
const STREAM_COST = 16_384;
/** Bytes of a stream at the least: its header block and frames, compressed. What waits to be read may be as many streams. */
const STREAM_BYTES = 50;
/** Who had less lately does not keep the process busy: 16 streams, opened and ended. */
const LIGHT = 32 * STREAM_COST;
/** Readers a turn, when turns are short. */
const MAX_WIDTH = 64;

/**
 * Who may read now. As long as what is read in a turn of the event loop is dealt with in time, everybody reads. When it
 * takes longer, those stop that ask much, in the middle of the turn, and all when it takes much longer. In the next one those
 * go on that ask little, and of the others as many as fit: of the owner that had least, its connection that had least. Who
 * goes on reads once at the least. So until none waits.
 */
export class ReadTurns {
  readonly #seats = new Map<Reader, Seat>();
  readonly #owners = new Map<number, Owner>();
  readonly #waiting = new Set<Seat>();
  /** Those whose turn it is, while others wait. */
  readonly #reading = new Set<Seat>();
  #time = 0;
  #pace = 0;
  #width = 1;
  #began: number | undefined;
  /** Who has been stopped in this turn. */
  #stopped: "nobody" | "heavy" | "all" = "nobody";
  readonly #clock: () => number;

  /** @param clock - Milliseconds, as `performance.now()`. */
  constructor(clock = () => performance.now()) {
    this.#clock = clock;
  }

  /** Readers that wait for their turn. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** A new reader, which is started now or when its turn has come. @param bytes - What is known to be there to read. */
  enter(reader: Reader, bytes: number): void {
    const owner = this.#owners.get(reader.owner) ?? { had: 0, time: this.#time, pace: 0, readers: 0 };
    this.#owners.set(reader.owner, owner);
    owner.readers += 1;
    const { bytesRead: mark } = reader;
    const seat: Seat = { reader, owner, had: 0, time: this.#time, pace: 0, mark, recent: 0, second: 0 };
    this.#seats.set(reader, seat);
    this.#worked();
    this.#take(seat, (bytes / STREAM_BYTES) * STREAM_COST);
    const inTime = this.#waiting.size === 0 && this.#stopped === "nobody";
    if (inTime || (this.#stopped !== "all" && this.#light(seat))) reader.start();
    else this.#wait(seat);
  }

  leave(reader: Reader): void {
    const seat = this.#seats.get(reader);
    if (seat === undefined) return;
    this.#seats.delete(reader);
    this.#waiting.delete(seat);
    this.#reading.delete(seat);
    seat.owner.readers -= 1;
    if (seat.owner.readers === 0) this.#owners.delete(reader.owner);
  }

  /** A stream was opened or has ended: the work that reading makes. */
  stream(reader: Reader): void {
    const seat = this.#seats.get(reader);
    if (seat !== undefined) this.#take(seat, STREAM_COST);
    this.#worked();
  }

  #worked(): void {
    if (this.#began === undefined) {
      this.#begin();
      return;
    }
    if (this.#stopped === "all") return;
    const took = this.#clock() - this.#began;
    if (took > LONG_TURN_MS) {
      this.#stopped = "all";
      // Who was let in for this turn has read once when it ends: a machine with little time for us makes every turn long.
      for (const seat of this.#seats.values()) if (!this.#isDue(seat)) this.#stop(seat);
    } else if (took > TURN_MS && this.#stopped === "nobody") {
      this.#stopped = "heavy";
      for (const seat of this.#seats.values()) if (!this.#light(seat)) this.#stop(seat);
    }
  }

  #begin(): void {
    this.#began = this.#clock();
    setImmediate(() => this.#end());
  }

  #end(): void {
    const took = this.#clock() - (this.#began as number);
    this.#began = undefined;
    this.#stopped = "nobody";
    for (const seat of this.#reading) {
      const { bytesRead } = seat.reader;
      this.#take(seat, bytesRead - seat.mark);
      if (this.#waiting.size > 0 && bytesRead > seat.mark && !this.#light(seat)) this.#stop(seat);
    }
    this.#reading.clear();
    if (this.#waiting.size === 0) {
      this.#time += 1;
      this.#pace = 0;
      this.#width = 1;
      return;
    }
    this.#width = took > TURN_MS ? Math.max(1, this.#width >> 1) : Math.min(MAX_WIDTH, this.#width * 2);
    let left = MAX_WIDTH;
    for (const seat of this.#waiting) {
      if (left > 0 && this.#light(seat)) {
        left -= 1;
        this.#start(seat);
      }
    }
    for (let n = 0; n < this.#width && this.#waiting.size > 0; n++) this.#startNext();
    this.#begin();
  }

  #startNext(): void {
    let next: Seat | undefined;
    for (const seat of this.#waiting) if (next === undefined || before(seat, next)) next = seat;
    if (next === undefined) return;
    this.#pace = next.owner.had;
    next.owner.pace = next.had;
    this.#start(next);
  }

  #start(seat: Seat): void {
    this.#waiting.delete(seat);
    this.#reading.add(seat);
    seat.mark = seat.reader.bytesRead;
    seat.reader.start();
  }

  #isDue(seat: Seat): boolean {
    return this.#reading.has(seat) && seat.reader.bytesRead === seat.mark;
  }

  #stop(seat: Seat): void {
    if (this.#waiting.has(seat)) return;
    seat.reader.stop();
    this.#wait(seat);
  }

  /** One that was away does not make up for that time: it would keep the others waiting for as long. */
  #wait(seat: Seat): void {
    this.#waiting.add(seat);
    this.#take(seat, 0);
    seat.owner.had = Math.max(seat.owner.had, this.#pace);
    seat.had = Math.max(seat.had, seat.owner.pace);
  }

  #second(): number {
    return Math.floor(this.#clock() / 1000);
  }

  #light({ recent, second }: Seat): boolean {
    return recent * 0.5 ** (this.#second() - second) < LIGHT;
  }

  #take(seat: Seat, cost: number): void {
    const second = this.#second();
    seat.recent = seat.recent * 0.5 ** (second - seat.second) + cost;
    seat.second = second;
    for (const share of [seat, seat.owner]) {
      if (share.time !== this.#time) Object.assign(share, { had: 0, time: this.#time, pace: 0 });
      share.had += cost;
    }
  }
}

function before(a: Seat, b: Seat): boolean {
  return a.owner === b.owner ? a.had < b.had : a.owner.had < b.owner.had;
}
