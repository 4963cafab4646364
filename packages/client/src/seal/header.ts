import { ClientError } from "../errors.js";
import type { Pieces } from "./byte-source.js";

/** A header is held whole, for its MAC comes last. One `basil` stanza takes some 400 bytes, a post-quantum one 1,600. */
export const MAX_HEADER_BYTES = 64 * 1024;

const VERSION_LINE = Buffer.from("age-encryption.org/v1\n");
const ARMOR = Buffer.from("-----BEGIN AGE ENCRYPTED FILE-----");
/** No other line of a header begins so. */
const MAC_LINE = Buffer.from("\n---");

/**
 * Reads an age header to the end of its MAC line, and what came with it of the payload.
 *
 * @throws {@link ClientError} `SEALED_HEADER_INVALID` for what does not begin as an age file does, ends inside its header,
 *   or has one above {@link MAX_HEADER_BYTES}; and what the source throws.
 */
export async function readHeader(pieces: Pieces): Promise<{ header: Uint8Array; rest: readonly Uint8Array[] }> {
  const buffer = Buffer.alloc(MAX_HEADER_BYTES);
  let used = 0;
  let macLine = -1;
  for (;;) {
    const piece = await pieces.next();
    if (piece === undefined) {
      throw invalid(used === 0 ? "the input is empty" : "the input ends inside the header of a sealed file");
    }
    const before = used;
    const taken = piece.subarray(0, buffer.length - used);
    buffer.set(taken, used);
    used += taken.length;
    const read = buffer.subarray(0, used);
    requireBeginning(read);
    if (macLine === -1) macLine = read.indexOf(MAC_LINE, Math.max(0, before - MAC_LINE.length + 1));
    const newline = macLine === -1 ? -1 : read.indexOf("\n", Math.max(before, macLine + MAC_LINE.length));
    if (newline !== -1) {
      const header = Uint8Array.from(read.subarray(0, newline + 1));
      return { header, rest: [read.subarray(header.length), piece.subarray(taken.length)] };
    }
    if (used === buffer.length) throw invalid(`the header of the sealed file is longer than ${buffer.length} bytes`);
  }
}

/** Says no as soon as a byte differs, so that little of a large input that is something else is read. */
function requireBeginning(read: Buffer): void {
  const beginsLike = (prefix: Buffer) => {
    const length = Math.min(read.length, prefix.length);
    return read.compare(prefix, 0, length, 0, length) === 0;
  };
  if (beginsLike(VERSION_LINE)) return;
  throw invalid(
    beginsLike(ARMOR)
      ? "the input is an armored age file; take the armor off first"
      : "the input is no sealed file: it does not begin as an age file does",
  );
}

function invalid(message: string): ClientError<"SEALED_HEADER_INVALID"> {
  return new ClientError("SEALED_HEADER_INVALID", message, {});
}
