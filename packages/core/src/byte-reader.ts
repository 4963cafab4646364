/** Reads bytes from front to back; what reads a format adds its elements. @internal */
export class ByteReader {
  /** Makes the error that is thrown, from the reason. */
  protected readonly refuse: (reason: string) => Error;
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array, refuse: (reason: string) => Error) {
    this.#bytes = bytes;
    this.refuse = refuse;
  }

  /** Exactly so many bytes. A view, not a copy. */
  bytes(length: number, name: string): Uint8Array {
    const bytes = this.#bytes.subarray(this.#offset, this.#offset + length);
    if (bytes.length < length) throw this.refuse(`${name}: length says ${length} bytes, ${bytes.length} are left`);
    this.#offset += length;
    return bytes;
  }

  end(name: string): void {
    const left = this.#bytes.length - this.#offset;
    if (left > 0) throw this.refuse(`${name}: ${left} trailing bytes`);
  }

  protected byte(reason: string): number {
    const byte = this.#bytes[this.#offset];
    if (byte === undefined) throw this.refuse(reason);
    this.#offset += 1;
    return byte;
  }
}
