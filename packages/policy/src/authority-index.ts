import { OPERATIONS, type Operation } from "./operations.js";
import type { Rule } from "./policy.js";
import type { Target } from "./target.js";

/** One rule's allowance on one target. */
export interface Grant {
  readonly rule: Rule;
  readonly target: Target;
  /** Position in the document, rules before targets: of two matching grants the lower one is reported. */
  readonly order: number;
  /** A bit for each operation. */
  readonly operations: number;
}

const BITS: ReadonlyMap<string, number> = new Map(OPERATIONS.map((operation, index) => [operation, 1 << index]));

/** The bit of an operation. @throws TypeError for a text that is none. */
function bitOf(operation: Operation): number {
  const bit = BITS.get(operation);
  if (bit === undefined) throw new TypeError(`unknown operation ${JSON.stringify(operation)}`);
  return bit;
}

/**
 * Who may do what, compiled: for each subject its grants by the text their targets begin with. A subject's part is built
 * when it is first asked for, in time linear in the rules that name it; after that a decision looks up one entry for each
 * segment of the key's name, and no entry holds more grants than there are operations.
 */
export class AuthorityIndex {
  readonly #rulesOf = new Map<string, number[]>();
  readonly #grantsOf = new Map<string, SubjectGrants>();
  readonly #prefixes = new Map<string, readonly string[]>();
  readonly #rules: readonly Rule[];

  constructor(subjects: Iterable<string>, rules: readonly Rule[]) {
    this.#rules = rules;
    for (const name of subjects) this.#rulesOf.set(name, []);
    rules.forEach((rule, index) => {
      for (const name of rule.subjects) {
        const indices = this.#rulesOf.get(name);
        if (indices !== undefined && indices.at(-1) !== index) indices.push(index);
      }
    });
  }

  has(subject: string): boolean {
    return this.#rulesOf.has(subject);
  }

  /** The rules that name a subject, in document order. */
  rulesOf(subject: string): readonly Rule[] {
    return (this.#rulesOf.get(subject) ?? []).map((index) => this.#rules[index]!);
  }

  /** The first grant in the document that lets `subject` do `operation` on `name`. */
  find(subject: string, operation: Operation, name: string): Grant | undefined {
    const bit = bitOf(operation);
    let grants = this.#grantsOf.get(subject);
    if (grants === undefined) {
      const indices = this.#rulesOf.get(subject);
      if (indices === undefined) return undefined;
      grants = new SubjectGrants(indices, this.#rules);
      this.#grantsOf.set(subject, grants);
    }
    return grants.find(bit, name, this.#prefixesOf(name));
  }

  /** The prefixes of a name, nearest first; kept, because looking up a fresh piece of a text means hashing it again. */
  #prefixesOf(name: string): readonly string[] {
    const known = this.#prefixes.get(name);
    if (known !== undefined) return known;
    const prefixes: string[] = [];
    for (let dot = name.lastIndexOf("."); dot > 0; dot = name.lastIndexOf(".", dot - 1))
      prefixes.push(name.slice(0, dot));
    if (this.#prefixes.size < MAX_NAMES) this.#prefixes.set(name, prefixes);
    return prefixes;
  }
}

/** More names than any catalog has: callers ask about keys that exist, and about four reserved targets. */
const MAX_NAMES = 200_000;

class SubjectGrants {
  readonly #any: Grant[] = [];
  readonly #exact = new Map<string, Grant[]>();
  readonly #one = new Map<string, Grant[]>();
  readonly #many = new Map<string, Grant[]>();

  constructor(indices: readonly number[], rules: readonly Rule[]) {
    let order = 0;
    for (const index of indices) {
      const rule = rules[index]!;
      let operations = 0;
      for (const operation of rule.operations.keys()) operations |= bitOf(operation);
      for (const target of rule.targets) this.#add({ rule, target, order: order++, operations });
    }
  }

  #add(grant: Grant): void {
    const { covers, name } = grant.target;
    if (covers === "any") addGrant(this.#any, grant);
    else addGrant(listAt(covers === "exact" ? this.#exact : covers === "one" ? this.#one : this.#many, name), grant);
  }

  find(bit: number, name: string, prefixes: readonly string[]): Grant | undefined {
    let best = firstOf(this.#any, bit, undefined);
    best = firstOf(this.#exact.get(name), bit, best);
    if (prefixes.length === 0) return best;
    if (this.#one.size > 0) best = firstOf(this.#one.get(prefixes[0]!), bit, best);
    if (this.#many.size > 0) {
      for (const prefix of prefixes) best = firstOf(this.#many.get(prefix), bit, best);
    }
    return best;
  }
}

function listAt(map: Map<string, Grant[]>, name: string): Grant[] {
  const known = map.get(name);
  if (known !== undefined) return known;
  const list: Grant[] = [];
  map.set(name, list);
  return list;
}

/** Grants of one list match the same names, so one that adds no operation to those before it can never be the first. */
function addGrant(grants: Grant[], grant: Grant): void {
  let earlier = 0;
  for (const { operations } of grants) earlier |= operations;
  if ((grant.operations & ~earlier) !== 0) grants.push(grant);
}

function firstOf(grants: readonly Grant[] | undefined, bit: number, best: Grant | undefined): Grant | undefined {
  if (grants === undefined) return best;
  for (const grant of grants) {
    if ((grant.operations & bit) === 0) continue;
    return best === undefined || grant.order < best.order ? grant : best;
  }
  return best;
}
