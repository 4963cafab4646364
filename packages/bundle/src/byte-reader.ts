import { BundleError } from "./errors.js";

/** Reads length-prefixed fields in order; reading past the end is `MALFORMED`, naming the field. Integers are big-endian. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    // Not the object itself: of a Buffer, `slice` would be a view, and a copy is what callers take it for.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  u8(field: string): number {
    return this.#view.getUint8(this.#step(1, field));
  }

  u16(field: string): number {
    return this.#view.getUint16(this.#step(2, field));
  }

  u32(field: string): number {
    return this.#view.getUint32(this.#step(4, field));
  }

  /** A view of the next `length` bytes, not a copy. */
  take(length: number, field: string): Uint8Array {
    const start = this.#step(length, field);
    return this.#bytes.subarray(start, start + length);
  }

  /** @throws {@link BundleError} `MALFORMED` when bytes are left over. */
  end(field: string): void {
    if (this.remaining !== 0)
      throw new BundleError("MALFORMED", `${field}: ${this.remaining} bytes too many`, { field });
  }

  #step(length: number, field: string): number {
    if (this.remaining < length) throw new BundleError("MALFORMED", `${field} is cut short`, { field });
    const start = this.#at;
    this.#at += length;
    return start;
  }
}
