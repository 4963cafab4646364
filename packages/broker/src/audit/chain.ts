import { hash } from "node:crypto";
import type { AuditRecord } from "./audit-sink.js";

/** Where the chain stands: the number of the last line, and the SHA-256 of its bytes without the newline, in hex. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: string;
}

/** Before the first line. */
export const CHAIN_START: ChainHead = { seq: 0, hash: "0".repeat(64) };

export function lineHash(line: Uint8Array | string): string {
  return hash("sha256", line, "hex");
}

/**
 * The next line and the head after it: the record with `seq`, one more than the line before, and `previous_hash`, that
 * line's hash. Members are in alphabetical order; no newline.
 */
export function chainLine(record: AuditRecord, head: ChainHead): { line: string; head: ChainHead } {
  const seq = head.seq + 1;
  const members: AuditRecord = { ...record, previous_hash: head.hash, seq };
  const sorted: Record<string, unknown> = {};
  for (const name of Object.keys(members).sort()) sorted[name] = members[name];
  const line = JSON.stringify(sorted);
  return { line, head: { seq, hash: lineHash(line) } };
}
