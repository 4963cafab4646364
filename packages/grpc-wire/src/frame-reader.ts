import { DEFAULT_MAX_FRAME_BYTES, FRAME_HEADER_BYTES } from "./frame.js";
import { ConnectionFault } from "./protocol-error.js";

const EMPTY = Buffer.alloc(0);

/**
 * Cuts the bytes of a connection into frames. A frame's payload is `bytes` from `start` to `end`, valid until the next
 * call. Chunks belong to the reader, which zeroes them once they are read, since requests may hold secrets.
 */
export class FrameReader {
  type = 0;
  flags = 0;
  stream = 0;
  bytes: Buffer = EMPTY;
  start = 0;
  end = 0;
  readonly #chunks: Buffer[] = [];
  /** The next byte of the first chunk. */
  #at = 0;
  /** A frame that began in an earlier chunk, as long as its header says once that is known, and how much of it is there. */
  #partial: Buffer | undefined;
  #filled = 0;

  push(chunk: Buffer): void {
    if (chunk.length > 0) this.#chunks.push(chunk);
  }

  /** Whether unread bytes exist beside a partial frame. */
  get hasInput(): boolean {
    return this.#chunks.length > 0;
  }

  /** Bytes of an unfinished frame. */
  get partialBytes(): number {
    return this.#partial?.length ?? 0;
  }

  /**
   * Reads one frame.
   *
   * @returns Whether a complete one was available.
   * @throws ConnectionFault `FRAME_SIZE_ERROR` for a length above 16,384, before anything is allocated for it.
   */
  next(): boolean {
    this.#release();
    for (;;) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) return false;
      if (this.#partial === undefined && chunk.length - this.#at >= FRAME_HEADER_BYTES) {
        const end = this.#at + FRAME_HEADER_BYTES + payloadLength(chunk, this.#at);
        if (end <= chunk.length) {
          this.#found(chunk, this.#at, end);
          this.#at = end;
          return true;
        }
      }
      if (this.#collect(chunk)) return true;
    }
  }

  /** Reads bytes that must be these, before the first frame. @returns How many were there, or -1 for others. */
  skip(expected: Uint8Array): number {
    const chunk = this.#chunks[0];
    if (chunk === undefined) return 0;
    const length = Math.min(expected.length, chunk.length - this.#at);
    if (chunk.compare(expected, 0, length, this.#at, this.#at + length) !== 0) return -1;
    this.#at += length;
    if (this.#at === chunk.length) this.#dropChunk(chunk);
    return length;
  }

  /** Zeroes and drops everything that was received. */
  clear(): void {
    for (const chunk of this.#chunks) chunk.fill(0);
    this.#chunks.length = 0;
    this.#at = 0;
    this.#partial?.fill(0);
    this.#partial = undefined;
    this.bytes = EMPTY;
  }

  /** Moves bytes of the chunk to the partial frame. @returns Whether that is complete. */
  #collect(chunk: Buffer): boolean {
    if (this.#partial === undefined) {
      this.#partial = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
      this.#filled = 0;
    }
    this.#take(chunk, this.#partial);
    if (this.#filled < this.#partial.length) return false;
    if (this.#partial.length === FRAME_HEADER_BYTES) {
      const length = payloadLength(this.#partial, 0);
      if (length > 0) {
        const whole = Buffer.allocUnsafe(FRAME_HEADER_BYTES + length);
        this.#partial.copy(whole);
        this.#partial = whole;
        const rest = this.#chunks[0];
        if (rest !== undefined) this.#take(rest, whole);
        if (this.#filled < whole.length) return false;
      }
    }
    this.#found(this.#partial, 0, this.#partial.length);
    return true;
  }

  #take(chunk: Buffer, into: Buffer): void {
    const taken = chunk.copy(into, this.#filled, this.#at, this.#at + into.length - this.#filled);
    this.#filled += taken;
    this.#at += taken;
    if (this.#at === chunk.length) this.#dropChunk(chunk);
  }

  #found(bytes: Buffer, at: number, end: number): void {
    this.type = bytes[at + 3] as number;
    this.flags = bytes[at + 4] as number;
    this.stream = bytes.readUInt32BE(at + 5) & 0x7fff_ffff;
    this.bytes = bytes;
    this.start = at + FRAME_HEADER_BYTES;
    this.end = end;
  }

  /** Lets go of the last frame's bytes. */
  #release(): void {
    if (this.bytes === EMPTY) return;
    if (this.bytes === this.#partial) {
      this.#partial.fill(0);
      this.#partial = undefined;
    }
    const chunk = this.#chunks[0];
    if (chunk !== undefined && this.#at === chunk.length) this.#dropChunk(chunk);
    this.bytes = EMPTY;
  }

  #dropChunk(chunk: Buffer): void {
    chunk.fill(0);
    this.#chunks.shift();
    this.#at = 0;
  }
}

function payloadLength(bytes: Buffer, at: number): number {
  const length = bytes.readUIntBE(at, 3);
  if (length > DEFAULT_MAX_FRAME_BYTES) {
    throw new ConnectionFault("FRAME_SIZE_ERROR", `a frame of ${length} bytes, at most ${DEFAULT_MAX_FRAME_BYTES}`);
  }
  return length;
}
