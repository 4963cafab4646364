import type { Subject } from "./subject.js";

/** One rule of the contract, to be run by any test runner. */
export interface ConformanceCase {
  /** What the rule is about: "sign", "probe", "contract" … */
  readonly group: string;
  /** The rule, in the present tense; unique within the group. */
  readonly name: string;
  /** Rejects with an `AssertionError` of node:assert when the backend breaks the rule, or with what the backend failed with. */
  run(): Promise<void>;
}

/** A rule before it has a backend. @internal */
export interface Rule {
  readonly group: string;
  readonly name: string;
  check(subject: Subject): Promise<void>;
}
