import { type GrpcStatus, StatusCode } from "./grpc-status.js";

/** Compressed flag and length (gRPC over HTTP/2, "Length-Prefixed-Message"). */
export const MESSAGE_PREFIX_BYTES = 5;
/** Bytes allocated for a message before more of it arrives, so that a prefix alone costs no more. */
const FIRST_BYTES = 16_384;

const EMPTY = Buffer.alloc(0);

/** Collects the one message of a request from its DATA frames, in memory of its own. */
export class MessageReader {
  readonly #maxBytes: number;
  readonly #prefix = Buffer.alloc(MESSAGE_PREFIX_BYTES);
  #prefixFilled = 0;
  #length = 0;
  #message: Buffer = EMPTY;
  #filled = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of memory the message takes. */
  get heldBytes(): number {
    return this.#message.length;
  }

  /** @returns What is wrong with the bytes: the status to end the call with. */
  read(bytes: Buffer, start: number, end: number): GrpcStatus | undefined {
    let at = start;
    if (this.#prefixFilled < MESSAGE_PREFIX_BYTES) {
      const copied = bytes.copy(
        this.#prefix,
        this.#prefixFilled,
        at,
        Math.min(end, at + MESSAGE_PREFIX_BYTES - this.#prefixFilled),
      );
      this.#prefixFilled += copied;
      at += copied;
      if (this.#prefixFilled < MESSAGE_PREFIX_BYTES) return undefined;
      const problem = this.#begin();
      if (problem !== undefined) return problem;
    }
    if (at === end) return undefined;
    if (this.#filled + end - at > this.#length) {
      return { code: StatusCode.UNIMPLEMENTED, message: "more than one message in a request" };
    }
    this.#grow(this.#filled + end - at);
    this.#filled += bytes.copy(this.#message, this.#filled, at, end);
    return undefined;
  }

  /** The message, once the request has ended. Its memory belongs to the caller. @returns Otherwise the status to end the call with. */
  finish(): Buffer | GrpcStatus {
    if (this.#prefixFilled === 0) return { code: StatusCode.UNIMPLEMENTED, message: "no message in a request" };
    if (this.#prefixFilled < MESSAGE_PREFIX_BYTES || this.#filled < this.#length) {
      return { code: StatusCode.INTERNAL, message: "a request that ends inside its message" };
    }
    const message = this.#message;
    this.#message = EMPTY;
    return message;
  }

  /** Zeroes what was collected of a message that is not wanted any more. */
  discard(): void {
    this.#message.fill(0);
    this.#message = EMPTY;
  }

  #begin(): GrpcStatus | undefined {
    this.#length = this.#prefix.readUInt32BE(1);
    if (this.#prefix[0] !== 0) {
      return { code: StatusCode.INTERNAL, message: "a compressed message without a grpc-encoding" };
    }
    if (this.#length > this.#maxBytes) {
      const message = `a message of ${this.#length} bytes, at most ${this.#maxBytes} are allowed`;
      return { code: StatusCode.RESOURCE_EXHAUSTED, message };
    }
    this.#message = Buffer.allocUnsafe(Math.min(this.#length, FIRST_BYTES));
    return undefined;
  }

  /** Doubles the memory until `bytes` fit, at most to the length of the message, and zeroes what it was before. */
  #grow(bytes: number): void {
    if (bytes <= this.#message.length) return;
    const size = Math.min(this.#length, Math.max(bytes, 2 * this.#message.length));
    const larger = Buffer.allocUnsafe(size);
    this.#message.copy(larger, 0, 0, this.#filled);
    this.#message.fill(0);
    this.#message = larger;
  }
}
