import { ByteReader } from "./byte-reader.js";

// The data types of SSH (RFC 4251 §5):
//   uint32   big-endian
//   string   uint32 length, then the bytes
//   mpint    a string: two's complement, big-endian, shortest; zero is the empty string

/** A `string` of bytes, or of ASCII text. @internal */
export function sshString(value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  const out = new Uint8Array(4 + bytes.length);
  new DataView(out.buffer).setUint32(0, bytes.length);
  out.set(bytes, 4);
  return out;
}

/** An `mpint` from a big-endian magnitude of any padding. @internal */
export function sshUnsignedMpint(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length && magnitude[start] === 0) start += 1;
  const minimal = magnitude.subarray(start);
  return sshString((minimal[0] ?? 0) >= 0x80 ? Uint8Array.of(0, ...minimal) : minimal);
}

/** Reads a blob from front to back. @internal */
export class SshReader extends ByteReader {
  uint32(name: string): number {
    const bytes = this.bytes(4, name);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  }

  string(name: string): Uint8Array {
    return this.bytes(this.uint32(name), name);
  }

  /** A string of UTF-8 without a NUL, which C would end at. */
  text(name: string): string {
    const bytes = this.string(name);
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      if (!text.includes("\0")) return text;
    } catch {
      // Refused below, with the reason.
    }
    throw this.refuse(`${name}: not UTF-8 text`);
  }

  /** The magnitude of an mpint that is not negative; zero is no bytes. */
  unsignedMpint(name: string): Uint8Array {
    const content = this.string(name);
    const [first, second] = content;
    if (first === undefined) return content;
    if (first >= 0x80) throw this.refuse(`${name}: a negative integer`);
    if (first !== 0) return content;
    if (second === undefined || second < 0x80) throw this.refuse(`${name}: an integer padded with zeros`);
    return content.subarray(1);
  }
}
