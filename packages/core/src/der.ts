import { ByteReader } from "./byte-reader.js";

/** The tags read and written here (X.690 §8). */
export const DER_TAG = {
  integer: 0x02,
  bitString: 0x03,
  objectIdentifier: 0x06,
  sequence: 0x30,
} as const;

/**
 * Reads DER (X.690 §10) from front to back and refuses everything BER allows beyond it: an indefinite or padded
 * length, a long form where the short one fits, an element that reaches past its parent, trailing bytes.
 *
 * @internal
 */
export class DerReader extends ByteReader {
  /** The content of the next element, which must have this tag. A view, not a copy. */
  element(tag: number, name: string): Uint8Array {
    const found = this.byte(`${name}: missing`);
    if (found !== tag) throw this.refuse(`${name}: tag 0x${hex(found)} where 0x${hex(tag)} is expected`);
    return this.bytes(this.#length(name), name);
  }

  sequence(name: string): DerReader {
    return new DerReader(this.element(DER_TAG.sequence, name), this.refuse);
  }

  /** The magnitude of an INTEGER that is not negative, big-endian, without the sign byte; zero is one zero byte. */
  unsignedInteger(name: string): Uint8Array {
    const content = this.element(DER_TAG.integer, name);
    const first = content[0];
    if (first === undefined) throw this.refuse(`${name}: an integer without content`);
    if (first >= 0x80) throw this.refuse(`${name}: a negative integer`);
    const second = content[1];
    if (first !== 0 || second === undefined) return content;
    if (second < 0x80) throw this.refuse(`${name}: an integer padded with zeros`);
    return content.subarray(1);
  }

  #length(name: string): number {
    const first = this.byte(`${name}: no length`);
    if (first < 0x80) return first;
    if (first === 0x80) throw this.refuse(`${name}: an indefinite length`);
    const octets = first & 0x7f;
    // Two octets reach 65,535: far over anything read here, and no arithmetic can overflow.
    if (octets > 2) throw this.refuse(`${name}: a length of ${octets} octets`);
    let length = 0;
    for (let i = 0; i < octets; i++) length = length * 256 + this.byte(`${name}: a cut length`);
    if (length < 0x80 || (octets === 2 && length < 0x100)) throw this.refuse(`${name}: a length that is not minimal`);
    return length;
  }
}

/** One element with the shortest length; at most 65,535 bytes of content. @internal */
export function encodeDer(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  const header =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >>> 8, length & 0xff];
  const out = new Uint8Array(header.length + length);
  out.set(header);
  let offset = header.length;
  for (const part of content) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** An INTEGER from a big-endian magnitude of any padding. @internal */
export function encodeDerUnsignedInteger(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start += 1;
  const minimal = magnitude.subarray(start);
  const sign = (minimal[0] ?? 0) >= 0x80 || minimal.length === 0 ? Uint8Array.of(0) : new Uint8Array();
  return encodeDer(DER_TAG.integer, sign, minimal);
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
