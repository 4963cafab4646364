import { EmulatorError } from "./errors.js";
import { checkMembers, type Members } from "./option-members.js";
import type { RandomSource } from "./random.js";

/** What goes wrong. With `applies` the operation is carried out all the same, so that a retry meets its effect. */
export type Fault =
  /** `ThrottlingException`, HTTP 400. */
  | { readonly kind: "throttle" }
  /** A 5xx answer. Default status 500, code `KMSInternalException`. */
  | { readonly kind: "error"; readonly status?: number; readonly code?: string; readonly applies?: boolean }
  /** The connection is reset and nothing is answered. */
  | { readonly kind: "reset"; readonly applies?: boolean }
  /** Nothing is ever answered. */
  | { readonly kind: "hang"; readonly applies?: boolean }
  /** The connection ends after `bytes` (default: half) of the body that was announced. */
  | { readonly kind: "truncate"; readonly bytes?: number }
  /** The `Date` header is off by `offsetMs`. */
  | { readonly kind: "date"; readonly offsetMs: number }
  /** The answer waits `ms` longer. */
  | { readonly kind: "latency"; readonly ms: number };

export type FaultKind = Fault["kind"];

/** One line of the script: which calls, how many of them, and what happens to them. */
export interface FaultRule {
  readonly fault: Fault;
  /** e.g. `Sign`, or several. Default: any. */
  readonly operation?: string | readonly string[];
  /** ARN of a user, or `arn:…:role/…` for all sessions of a role. Default: anyone. */
  readonly principal?: string;
  /** Matching calls that go through before the first one is hit. Default 0. */
  readonly skip?: number;
  /** How many are hit; `Infinity` until cleared. Default 1. */
  readonly times?: number;
  /** Chance of a matching call to be hit, from the seeded source. Default 1. */
  readonly probability?: number;
}

const ruleMembers: Members<FaultRule> = {
  fault: true,
  operation: true,
  principal: true,
  skip: true,
  times: true,
  probability: true,
};

const membersOfKind: { readonly [K in FaultKind]: Members<Extract<Fault, { kind: K }>> } = {
  throttle: { kind: true },
  error: { kind: true, status: true, code: true, applies: true },
  reset: { kind: true, applies: true },
  hang: { kind: true, applies: true },
  truncate: { kind: true, bytes: true },
  date: { kind: true, offsetMs: true },
  latency: { kind: true, ms: true },
};

interface Entry {
  readonly rule: FaultRule;
  skip: number;
  left: number;
}

export interface FaultTarget {
  readonly operation: string;
  readonly principals: readonly (string | undefined)[];
}

/** The script of faults: for each call the first line that matches and is not used up. */
export class Faults {
  readonly #random: RandomSource;
  readonly #script: Entry[] = [];

  constructor(random: RandomSource, rules: readonly FaultRule[] = []) {
    this.#random = random;
    this.add(...rules);
  }

  /** @throws {@link EmulatorError} `OPTION_INVALID` */
  add(...rules: readonly FaultRule[]): void {
    for (const [i, rule] of rules.entries()) this.#script.push(entry(rule, `faults[${i}]`));
  }

  /** Everything goes well again from the next call on. */
  clear(): void {
    this.#script.length = 0;
  }

  /** Lines that can still hit. */
  get pending(): readonly FaultRule[] {
    return this.#script.filter(({ left }) => left > 0).map(({ rule }) => rule);
  }

  /** @internal */
  take(target: FaultTarget): Fault | undefined {
    for (const line of this.#script) {
      if (line.left <= 0 || !matches(line.rule, target)) continue;
      if (line.skip > 0) {
        line.skip -= 1;
        continue;
      }
      if (line.rule.probability !== undefined && this.#random.fraction() >= line.rule.probability) continue;
      line.left -= 1;
      return line.rule.fault;
    }
    return undefined;
  }
}

function matches(rule: FaultRule, target: FaultTarget): boolean {
  const { operation, principal } = rule;
  const operations = typeof operation === "string" ? [operation] : operation;
  if (operations !== undefined && !operations.includes(target.operation)) return false;
  return principal === undefined || target.principals.includes(principal);
}

function entry(rule: FaultRule, path: string): Entry {
  const check = (name: string, value: number, holds: boolean, allowed: string) => {
    if (holds) return;
    const at = `${path}.${name}`;
    throw new EmulatorError("OPTION_INVALID", `${at}: must be ${allowed}, found ${value}`, { path: at });
  };
  checkMembers(rule, ruleMembers, path);
  const { skip = 0, times = 1, probability = 1, fault } = rule;
  if (!Object.hasOwn(membersOfKind, fault.kind)) {
    const at = `${path}.fault.kind`;
    throw new EmulatorError(
      "OPTION_INVALID",
      `${at}: must be one of ${Object.keys(membersOfKind).join(", ")}, found ${JSON.stringify(fault.kind)}`,
      { path: at },
    );
  }
  checkMembers(fault, membersOfKind[fault.kind], `${path}.fault`);
  check("skip", skip, Number.isInteger(skip) && skip >= 0, "an integer of at least 0");
  check(
    "times",
    times,
    times === Number.POSITIVE_INFINITY || (Number.isInteger(times) && times >= 1),
    "an integer of at least 1, or Infinity",
  );
  check("probability", probability, probability >= 0 && probability <= 1, "from 0 to 1");
  if (fault.kind === "error") {
    const { status = 500 } = fault;
    check(
      "fault.status",
      status,
      Number.isInteger(status) && status >= 400 && status <= 599,
      "an HTTP status from 400 to 599",
    );
  }
  if (fault.kind === "latency") check("fault.ms", fault.ms, fault.ms >= 0 && fault.ms <= 600_000, "from 0 to 600000");
  if (fault.kind === "truncate") {
    const { bytes = 0 } = fault;
    check("fault.bytes", bytes, Number.isInteger(bytes) && bytes >= 0, "an integer of at least 0");
  }
  return { rule, skip, left: times };
}
