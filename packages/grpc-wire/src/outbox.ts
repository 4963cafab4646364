import type { Socket } from "node:net";

/**
 * Writes to a socket once a turn of the event loop, all frames of the turn in one call. A buffer that was handed over is
 * neither changed nor reused before the socket has written it; after that it is zeroed, since answers may hold secrets.
 */
export class Outbox {
  readonly #socket: Socket;
  readonly #maxUnsentBytes: number;
  readonly #onDrained: () => void;
  #parts: Buffer[] = [];
  #unsent = 0;
  #scheduled = false;
  #blocked = false;
  /** When the socket wrote something last while bytes wait for it, as `performance.now()`. */
  #progressAt = 0;

  /** @param onDrained - Called when bytes may be written again after {@link blocked} was true. */
  constructor(socket: Socket, maxUnsentBytes: number, onDrained: () => void) {
    this.#socket = socket;
    this.#maxUnsentBytes = maxUnsentBytes;
    this.#onDrained = onDrained;
  }

  /** Bytes written that the kernel has not taken. */
  get unsentBytes(): number {
    return this.#unsent;
  }

  /** Whether the peer reads too slowly: nothing that can wait is written until `onDrained`. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** When a peer that reads nothing stopped reading; undefined while nothing waits. */
  get stalledSince(): number | undefined {
    return this.#unsent > 0 ? this.#progressAt : undefined;
  }

  /** @param frame - Belongs to the outbox from now on. */
  write(frame: Buffer): void {
    if (this.#unsent === 0) this.#progressAt = performance.now();
    this.#parts.push(frame);
    this.#unsent += frame.length;
    if (this.#unsent > this.#maxUnsentBytes) this.#blocked = true;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.flush);
  }

  /** Hands over now what waits for the end of the turn. */
  readonly flush = (): void => {
    this.#scheduled = false;
    const parts = this.#parts;
    if (parts.length === 0) return;
    this.#parts = [];
    const bytes = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    if (parts.length > 1) for (const part of parts) part.fill(0);
    if (this.#socket.destroyed) {
      bytes.fill(0);
      return;
    }
    this.#socket.write(bytes, () => {
      this.#unsent -= bytes.length;
      this.#progressAt = performance.now();
      bytes.fill(0);
      if (!this.#blocked || this.#unsent > this.#maxUnsentBytes / 2) return;
      this.#blocked = false;
      this.#onDrained();
    });
  };
}
