import type { AuditRecord } from "./audit-sink.js";
import { seconds } from "./authz-record.js";

/** A decision against a caller, with names as records hold them. */
export interface Denial {
  /** Undefined for a caller without kernel credentials. */
  readonly uid: number | undefined;
  readonly op: string;
  readonly reason: string;
  readonly target: string;
}

export interface DenialGroupsParts {
  /** Settles once the record is with the kernel. */
  write(record: AuditRecord): Promise<void>;
  /** Milliseconds since the epoch. Default: `Date.now`. */
  now?(): number;
}

/** Token bucket of the denials of one uid that get a record each. */
const BURST = 60;
const PER_SECOND = 1;
/** Milliseconds from the first denial of a group to its record. */
const GROUP_MS = 60_000;
const MAX_SAMPLES = 8;
/** Distinct names that one group counts; more are counted as this many. */
const MAX_DISTINCT = 1000;
/** Groups of one uid; further methods and reasons share one more. */
const MAX_GROUPS = 15;
const OTHER = "other";

interface Group {
  readonly uid: number | undefined;
  readonly op: string;
  readonly reason: string;
  readonly first: number;
  last: number;
  count: number;
  readonly names: Set<string>;
}

interface Caller {
  tokens: number;
  filledAt: number;
  groups: Map<string, Group>;
}

/**
 * Bounds what the denials of one uid write: a burst of 60 and one a second get a record each. The others are recorded in
 * groups by method and reason, one record a group and minute. With names of at most 256 characters that is less than 1 MiB
 * a minute and uid, whatever the uid sends.
 */
export class DenialGroups {
  readonly #parts: DenialGroupsParts;
  readonly #callers = new Map<number | undefined, Caller>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: DenialGroupsParts) {
    this.#parts = parts;
  }

  /** Whether the denial gets a record of its own; otherwise it is counted in a group. */
  admit(denial: Denial): boolean {
    const now = this.#now();
    const caller = this.#caller(denial.uid, now);
    if (caller.tokens >= 1) {
      caller.tokens -= 1;
      return true;
    }
    const group = groupOf(caller, denial, now);
    group.count += 1;
    group.last = now;
    if (group.names.size < MAX_DISTINCT) group.names.add(denial.target);
    this.#schedule();
    return false;
  }

  /** Writes a record for every group. @throws what the write throws; groups that were not written are kept. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = this.#now();
    const writes: Promise<void>[] = [];
    for (const [uid, caller] of this.#callers) {
      refill(caller, now);
      const { groups } = caller;
      caller.groups = new Map();
      for (const group of groups.values()) writes.push(this.#write(group));
      if (groups.size === 0 && caller.tokens >= BURST) this.#callers.delete(uid);
    }
    if (this.#callers.size > 0) this.#schedule();
    const failed = (await Promise.allSettled(writes)).find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  async #write(group: Group): Promise<void> {
    try {
      await this.#parts.write(groupRecord(group));
    } catch (error) {
      this.#restore(group);
      throw error;
    }
  }

  #restore(lost: Group): void {
    const { groups } = this.#caller(lost.uid, this.#now());
    const key = keyOf(lost);
    const newer = groups.get(key);
    if (newer !== undefined) {
      lost.count += newer.count;
      lost.last = newer.last;
      for (const name of newer.names) if (lost.names.size < MAX_DISTINCT) lost.names.add(name);
    }
    groups.set(key, lost);
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      // The writer logs the failure; the groups are written with the next ones.
      void this.flush().catch(() => undefined);
    }, GROUP_MS).unref();
  }

  #caller(uid: number | undefined, now: number): Caller {
    let caller = this.#callers.get(uid);
    if (caller === undefined) {
      caller = { tokens: BURST, filledAt: now, groups: new Map() };
      this.#callers.set(uid, caller);
      this.#schedule();
    }
    refill(caller, now);
    return caller;
  }

  #now(): number {
    return this.#parts.now?.() ?? Date.now();
  }
}

function refill(caller: Caller, now: number): void {
  const passed = Math.max(0, now - caller.filledAt);
  caller.tokens = Math.min(BURST, caller.tokens + (passed / 1000) * PER_SECOND);
  caller.filledAt = now;
}

function groupOf({ groups }: Caller, { uid, op, reason }: Denial, now: number): Group {
  const known = groups.get(keyOf({ op, reason }));
  if (known !== undefined) return known;
  const name = groups.size < MAX_GROUPS ? { op, reason } : { op: OTHER, reason: OTHER };
  const key = keyOf(name);
  const group = groups.get(key) ?? { uid, ...name, first: now, last: now, count: 0, names: new Set() };
  groups.set(key, group);
  return group;
}

function keyOf({ op, reason }: { readonly op: string; readonly reason: string }): string {
  return `${op} ${reason}`;
}

/** `basil.audit.denials`, version 1. */
function groupRecord({ uid, op, reason, count, first, last, names }: Group): AuditRecord {
  return {
    count,
    decision: "deny",
    distinct_targets: names.size,
    distinct_targets_capped: names.size >= MAX_DISTINCT,
    event_kind: "basil.audit.denials",
    event_version: 1,
    first_at: seconds(new Date(first)),
    last_at: seconds(new Date(last)),
    occurred_at: seconds(new Date(last)),
    op,
    outcome: "deny",
    presenter_uid: uid ?? null,
    reason,
    sample_targets: [...names].slice(0, MAX_SAMPLES),
  };
}
