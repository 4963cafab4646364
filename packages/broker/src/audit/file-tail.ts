import type { FileHandle } from "node:fs/promises";
import { CHAIN_START, type ChainHead, lineHash } from "./chain.js";

/** How a log file ends: the head of its chain, and what a writer that died left behind its last whole line. */
export interface FileTail {
  readonly head: ChainHead;
  /** Bytes after the last newline; 0 for a file that ends with one. */
  readonly tornBytes: number;
}

const BLOCK_BYTES = 65_536;
const NEWLINE = 0x0a;

/** Reads backwards from the end, no more than the last whole line and what is torn after it. */
export async function readTail(file: FileHandle): Promise<FileTail> {
  const { size } = await file.stat();
  let from = size;
  let newlines = 0;
  const blocks: Uint8Array[] = [];
  while (from > 0 && newlines < 2) {
    const length = Math.min(BLOCK_BYTES, from);
    const block = new Uint8Array(length);
    const { bytesRead } = await file.read(block, 0, length, from - length);
    if (bytesRead !== length) throw new Error("the audit log changed while it was read");
    blocks.unshift(block);
    newlines += count(block, NEWLINE);
    from -= length;
  }
  const bytes = new Uint8Array(Buffer.concat(blocks));
  const lines = splitLines(bytes);
  const torn = lines.pop() ?? new Uint8Array();
  const last = lines.pop();
  const whole = last === undefined ? CHAIN_START : headOf(last);
  if (torn.length === 0) return { head: whole, tornBytes: 0 };
  // Only the newline may be missing: then it is a line like any other.
  const { seq, hash } = headOf(torn);
  return { head: { seq: seq === 0 ? whole.seq : seq, hash }, tornBytes: torn.length };
}

/** A line that holds no number, as those of a log without a chain, counts as none. */
function headOf(line: Uint8Array): ChainHead {
  const hash = lineHash(line);
  try {
    const { seq } = JSON.parse(new TextDecoder().decode(line)) as { seq?: unknown };
    return { seq: typeof seq === "number" && Number.isSafeInteger(seq) ? seq : 0, hash };
  } catch {
    return { seq: 0, hash };
  }
}

/** The last element is what follows the last newline. */
function splitLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  lines.push(bytes.subarray(start));
  return lines;
}

function count(bytes: Uint8Array, value: number): number {
  let found = 0;
  for (const byte of bytes) if (byte === value) found += 1;
  return found;
}
