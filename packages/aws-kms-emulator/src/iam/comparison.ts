import { BlockList, isIP } from "node:net";
import type { VariableUse } from "./variable.js";
import { matchesArn, matchesWildcard } from "./wildcard.js";

type Test = (found: string, wanted: string) => boolean;

interface Comparison {
  readonly test: Test;
  /** True for operators such as `StringNotEquals`, whose test is the positive one. */
  readonly negated: boolean;
  /** How `${…}` variables are filled in; undefined where they are not. */
  readonly variables: VariableUse | undefined;
}

function number(compare: (a: number, b: number) => boolean): Test {
  return (found, wanted) => {
    const a = Number(found);
    const b = Number(wanted);
    return found.trim() !== "" && wanted.trim() !== "" && !Number.isNaN(a) && !Number.isNaN(b) && compare(a, b);
  };
}

/** ISO 8601, or seconds since the epoch → milliseconds. */
function time(text: string): number {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
}

function date(compare: (a: number, b: number) => boolean): Test {
  return (found, wanted) => {
    const a = time(found);
    const b = time(wanted);
    return !Number.isNaN(a) && !Number.isNaN(b) && compare(a, b);
  };
}

/** A CIDR block, or a bare address for one host. */
function inBlock(address: string, block: string): boolean {
  const [network = "", bits, ...rest] = block.split("/");
  const family = isIP(network);
  if (family === 0 || rest.length > 0 || isIP(address) !== family) return false;
  const size = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? size : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
  if (prefix < 0 || prefix > size) return false;
  const list = new BlockList();
  const type = family === 4 ? "ipv4" : "ipv6";
  list.addSubnet(network, prefix, type);
  return list.check(address, type);
}

const text = (test: Test, negated = false): Comparison => ({ test, negated, variables: "text" });
const pattern = (test: Test, negated = false): Comparison => ({ test, negated, variables: "pattern" });
const plain = (test: Test, negated = false): Comparison => ({ test, negated, variables: undefined });
const equals: Test = (a, b) => a === b;
const equalsIgnoreCase: Test = (a, b) => a.toLowerCase() === b.toLowerCase();
const like: Test = (a, b) => matchesWildcard(b, a);
const arn: Test = (a, b) => matchesArn(b, a);

/** IAM User Guide, "IAM JSON policy elements: Condition operators". */
export const comparisons = {
  StringEquals: text(equals),
  StringNotEquals: text(equals, true),
  StringEqualsIgnoreCase: text(equalsIgnoreCase),
  StringNotEqualsIgnoreCase: text(equalsIgnoreCase, true),
  StringLike: pattern(like),
  StringNotLike: pattern(like, true),
  NumericEquals: plain(number((a, b) => a === b)),
  NumericNotEquals: plain(
    number((a, b) => a === b),
    true,
  ),
  NumericLessThan: plain(number((a, b) => a < b)),
  NumericLessThanEquals: plain(number((a, b) => a <= b)),
  NumericGreaterThan: plain(number((a, b) => a > b)),
  NumericGreaterThanEquals: plain(number((a, b) => a >= b)),
  DateEquals: plain(date((a, b) => a === b)),
  DateNotEquals: plain(
    date((a, b) => a === b),
    true,
  ),
  DateLessThan: plain(date((a, b) => a < b)),
  DateLessThanEquals: plain(date((a, b) => a <= b)),
  DateGreaterThan: plain(date((a, b) => a > b)),
  DateGreaterThanEquals: plain(date((a, b) => a >= b)),
  Bool: plain(equalsIgnoreCase),
  BinaryEquals: plain(equals),
  IpAddress: plain(inBlock),
  NotIpAddress: plain(inBlock, true),
  ArnEquals: pattern(arn),
  ArnLike: pattern(arn),
  ArnNotEquals: pattern(arn, true),
  ArnNotLike: pattern(arn, true),
} as const satisfies Record<string, Comparison>;

export type ComparisonName = keyof typeof comparisons;

export function isComparison(name: string): name is ComparisonName {
  return Object.hasOwn(comparisons, name);
}
