import type { ScriptResult } from "./run-scripts.js";
import type { Step } from "./scripts.js";

/** One place where two servers answer a script with different shapes, statuses or error codes. */
export interface Difference {
  readonly script: string;
  /** 1 for the first. */
  readonly step: number;
  readonly call: string;
  /** Member of the answer, or `outcome` where one succeeds and the other fails, or both fail with different codes. */
  readonly at: string;
  readonly ours: string;
  readonly theirs: string;
}

/** `KeyMetadata.Tags[]` → type, for everything in an answer. */
function shapeOf(value: unknown, at: string, into: Map<string, string>): Map<string, string> {
  if (Array.isArray(value)) {
    into.set(at, "list");
    for (const item of value) shapeOf(item, `${at}[]`, into);
  } else if (typeof value === "object" && value !== null) {
    const members = Object.entries(value);
    const [only] = members;
    if (members.length === 1 && (only?.[0] === "bytes" || only?.[0] === "date")) into.set(at, only[0]);
    else for (const [name, inner] of members) shapeOf(inner, at === "" ? name : `${at}.${name}`, into);
  } else {
    into.set(at, typeof value);
  }
  return into;
}

export function shapeDifferences(
  script: string,
  steps: readonly Step[],
  ours: ScriptResult,
  theirs: ScriptResult,
): Difference[] {
  return ours.outcomes.flatMap((mine, i) => {
    const other = theirs.outcomes[i];
    const found = (at: string, one = "absent", two = "absent"): Difference[] =>
      one === two ? [] : [{ script, step: i + 1, call: steps[i]?.call ?? "", at, ours: one, theirs: two }];
    const outcome = found("outcome", mine.error ?? "success", other?.error ?? "success");
    if (outcome.length > 0 || mine.error !== undefined) return outcome;
    const [one, two] = [shapeOf(mine.output, "", new Map()), shapeOf(other?.output, "", new Map())];
    return [...new Set([...one.keys(), ...two.keys()])].sort().flatMap((at) => found(at, one.get(at), two.get(at)));
  });
}
