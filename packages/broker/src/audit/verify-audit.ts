import { type ChainHead, lineHash } from "./chain.js";

export interface AuditProblem {
  /** Counted from 1, over all files; 0 for what is not there at all. */
  readonly line: number;
  readonly kind:
    | "not_json"
    | "not_chained"
    | "wrong_sequence"
    | "wrong_hash"
    | "wrong_count"
    | "checkpoint_missing"
    | "checkpoint_differs";
  readonly message: string;
}

/** What following the chain found. */
export interface AuditVerification {
  /** No problem was found. */
  readonly ok: boolean;
  readonly lines: number;
  /** Lines at the beginning that come from a log without a chain; the first chained line holds the last one's hash. */
  readonly unchained: number;
  /** Lines a writer left torn and a later one closed and marked. */
  readonly recovered: number;
  /** Denials that group records (`basil.audit.denials`) count; they have no line of their own. */
  readonly groupedDenials: number;
  /** Bytes after the last newline: a line that is being written, or was when the writer died. */
  readonly tornBytes: number;
  /** The number of the first chained line and the hash it continues from, 64 zeros at the beginning of a chain. */
  readonly first?: ChainHead;
  /** Keep it elsewhere: it is the checkpoint that shows whether lines before it were changed or removed. */
  readonly last?: ChainHead;
  readonly problems: readonly AuditProblem[];
}

export interface VerifyAuditOptions {
  /** What the chain must hold, from the operator's log or an earlier verification. */
  readonly checkpoints?: readonly ChainHead[];
}

/**
 * Follows the chain of an audit log, or of several that were rotated, given one after the other, oldest first. Finds a line
 * that was changed, removed, inserted or moved. A removed tail, or a file that was rewritten from some line on, is found
 * only against a checkpoint that was kept elsewhere.
 */
export async function verifyAudit(
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { checkpoints = [] }: VerifyAuditOptions = {},
): Promise<AuditVerification> {
  const chain = new ChainCheck(checkpoints);
  // Put together once a line: what holds no newline is not copied again with every chunk.
  let pieces: Uint8Array[] = [];
  for await (const chunk of bytes) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      pieces.push(chunk.subarray(start, end));
      chain.line(pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces));
      pieces = [];
      start = end + 1;
    }
    // The owner of a chunk may write over it.
    if (start < chunk.length) pieces.push(new Uint8Array(chunk.subarray(start)));
  }
  return chain.result(pieces.reduce((length, piece) => length + piece.length, 0));
}

const NEWLINE = 0x0a;

interface Link {
  readonly seq: number;
  readonly previousHash: string;
  readonly kind: unknown;
  readonly count: unknown;
}

class ChainCheck {
  /** Those that were given for a number: two that differ cannot both be right. */
  readonly #wanted = new Map<number, Set<string>>();
  readonly #problems: AuditProblem[] = [];
  #lines = 0;
  #unchained = 0;
  #recovered = 0;
  #groupedDenials = 0;
  #first: ChainHead | undefined;
  #last: ChainHead | undefined;
  /** The hash of the line before, chained or not. */
  #previousHash: string | undefined;
  /** Set after a line that is no JSON, until the next one shows whether it was a torn one. */
  #torn = false;

  constructor(checkpoints: readonly ChainHead[]) {
    for (const { seq, hash } of checkpoints) this.#wanted.set(seq, (this.#wanted.get(seq) ?? new Set()).add(hash));
  }

  line(bytes: Uint8Array): void {
    this.#lines += 1;
    const hash = lineHash(bytes);
    const link = readLink(bytes);
    if (link === "not_json") this.#notJson();
    else if (link === "not_chained") this.#notChained();
    else this.#chained(link, hash);
    this.#previousHash = hash;
  }

  result(tornBytes: number): AuditVerification {
    if (this.#torn) this.#problem("not_json", "the line is not JSON", this.#lines);
    for (const seq of this.#wanted.keys()) this.#problem("checkpoint_missing", `there is no line number ${seq}`, 0);
    return {
      ok: this.#problems.length === 0,
      lines: this.#lines,
      unchained: this.#unchained,
      recovered: this.#recovered,
      groupedDenials: this.#groupedDenials,
      tornBytes,
      ...(this.#first && { first: this.#first }),
      ...(this.#last && { last: this.#last }),
      problems: this.#problems,
    };
  }

  #notJson(): void {
    if (this.#torn) this.#problem("not_json", "the line is not JSON", this.#lines - 1);
    this.#torn = true;
  }

  #notChained(): void {
    if (this.#last === undefined && !this.#torn) this.#unchained += 1;
    else this.#problem("not_chained", "the line has no number and hash", this.#lines);
  }

  #chained({ seq, previousHash, kind, count }: Link, hash: string): void {
    if (kind === "basil.audit.denials") {
      if (typeof count === "number" && Number.isSafeInteger(count) && count > 0) this.#groupedDenials += count;
      else this.#problem("wrong_count", "the group record has no count of denials", this.#lines);
    }
    if (this.#torn) {
      if (kind === "basil.audit.recovered") this.#recovered += 1;
      else this.#problem("not_json", "the line is not JSON", this.#lines - 1);
      this.#torn = false;
    }
    if (this.#first === undefined) this.#first = { seq, hash: previousHash };
    if (this.#previousHash !== undefined && previousHash !== this.#previousHash) {
      this.#problem("wrong_hash", "the line does not continue the one before it", this.#lines);
    }
    if (this.#last !== undefined && seq !== this.#last.seq + 1) {
      this.#problem("wrong_sequence", `number ${seq} follows number ${this.#last.seq}`, this.#lines);
    }
    const wanted = this.#wanted.get(seq);
    if (wanted !== undefined && (wanted.size > 1 || !wanted.has(hash))) {
      this.#problem("checkpoint_differs", `number ${seq} is not the line the checkpoint was made of`, this.#lines);
    }
    this.#wanted.delete(seq);
    this.#last = { seq, hash };
  }

  #problem(kind: AuditProblem["kind"], message: string, line: number): void {
    this.#problems.push({ line, kind, message });
  }
}

function readLink(bytes: Uint8Array): Link | "not_json" | "not_chained" {
  let record: { seq?: unknown; previous_hash?: unknown; event_kind?: unknown; count?: unknown };
  try {
    record = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return "not_json";
  }
  if (typeof record !== "object" || record === null) return "not_json";
  const { seq, previous_hash: previousHash, event_kind: kind, count } = record;
  const chained = typeof seq === "number" && Number.isSafeInteger(seq) && typeof previousHash === "string";
  return chained ? { seq, previousHash, kind, count } : "not_chained";
}

/** Reads `SEQ:HASH`. @throws TypeError for anything else. */
export function parseCheckpoint(text: string): ChainHead {
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq === undefined || hash === undefined) {
    throw new TypeError(`a checkpoint is SEQ:HASH with 64 lowercase hexadecimal digits, found ${JSON.stringify(text)}`);
  }
  return { seq: Number(seq), hash };
}
