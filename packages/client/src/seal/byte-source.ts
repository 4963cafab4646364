import { ClientError } from "../errors.js";

/** What streams of bytes are taken from; chunks may have any size, and are not changed. */
export type ByteSource = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | Iterable<Uint8Array> | Uint8Array;

/** What is handed on at once is no longer than this, so that a source of large chunks takes no more memory beside them. */
const PIECE_BYTES = 1024 * 1024;

/** Reads a source piece by piece; a signal that aborts ends a read at once. */
export class Pieces {
  readonly #source: Reader;
  readonly #signal: AbortSignal | undefined;
  #chunk: Uint8Array = new Uint8Array();
  #failure: { readonly error: unknown } | undefined;

  /** @throws TypeError for what is no source of bytes. */
  constructor(source: ByteSource, signal: AbortSignal | undefined) {
    this.#source = readerOf(source);
    this.#signal = signal;
  }

  /** Whether `error` is what reading the source, not its content, ended in. */
  failedWith(error: unknown): boolean {
    return this.#failure !== undefined && this.#failure.error === error;
  }

  /**
   * The next bytes, never none; undefined at the end.
   *
   * @throws what the source throws; {@link ClientError} `CANCELLED`; TypeError for a chunk that is no Uint8Array.
   */
  async next(): Promise<Uint8Array | undefined> {
    try {
      while (this.#chunk.length === 0) {
        const { done, value } = await this.#read();
        if (done) return undefined;
        if (!(value instanceof Uint8Array)) throw new TypeError(`a source gave a chunk that is no Uint8Array`);
        this.#chunk = value;
      }
    } catch (error) {
      this.#failure = { error };
      this.release();
      throw error;
    }
    const piece = this.#chunk.subarray(0, PIECE_BYTES);
    this.#chunk = this.#chunk.subarray(piece.length);
    return piece;
  }

  /** Lets go of the source. Not awaited by anyone: a read that hangs would hold up the end of a generator. */
  release(): void {
    Promise.resolve(this.#source.release()).catch(() => {});
  }

  /** The pieces as a web stream that reads when it is read. Bytes already taken may go `first`. */
  stream(...first: readonly Uint8Array[]): ReadableStream<Uint8Array> {
    const taken = first.filter((bytes) => bytes.length > 0);
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const piece = taken.shift() ?? (await this.next());
          if (piece === undefined) controller.close();
          else controller.enqueue(piece);
        },
        cancel: () => this.release(),
      },
      { highWaterMark: 0 },
    );
  }

  #read(): Promise<IteratorResult<unknown>> {
    const signal = this.#signal;
    return new Promise((resolve, reject) => {
      const abort = () =>
        reject(new ClientError("CANCELLED", "the stream was cancelled", {}, { cause: signal?.reason }));
      if (signal?.aborted) return abort();
      signal?.addEventListener("abort", abort, { once: true });
      const stop = () => signal?.removeEventListener("abort", abort);
      Promise.resolve(this.#source.next()).then(resolve, reject).finally(stop);
    });
  }
}

/** One source, whatever its kind. */
interface Reader {
  next(): Promise<IteratorResult<unknown>> | IteratorResult<unknown>;
  release(): unknown;
}

function readerOf(source: unknown): Reader {
  if (source instanceof Uint8Array) return iterated([source][Symbol.iterator]());
  if (source instanceof ReadableStream) {
    const reader: ReadableStreamDefaultReader<unknown> = source.getReader();
    return { next: () => reader.read() as Promise<IteratorResult<unknown>>, release: () => reader.cancel() };
  }
  if (typeof source === "object" && source !== null) {
    const {
      [Symbol.asyncIterator]: later,
      [Symbol.iterator]: now,
      destroy,
    } = source as Partial<AsyncIterable<unknown> & Iterable<unknown> & { destroy(): unknown }>;
    const iterator = later?.call(source) ?? now?.call(source);
    if (iterator === undefined) throw notBytes();
    // A generator ends only between two reads; a Node stream, also while one hangs.
    return typeof destroy === "function"
      ? { next: () => iterator.next(), release: () => destroy.call(source) }
      : iterated(iterator);
  }
  throw notBytes();
}

function iterated(iterator: AsyncIterator<unknown> | Iterator<unknown>): Reader {
  return { next: () => iterator.next(), release: () => iterator.return?.() };
}

function notBytes(): TypeError {
  return new TypeError("source must be a ReadableStream, an iterable of Uint8Array, or a Uint8Array");
}
