/** A target as the document spells it, and what it covers. */
export interface Target {
  readonly spelling: string;
  /** `any`: every key; `exact`: the name itself; `one`: one segment under it; `many`: one or more segments under it. */
  readonly covers: "any" | "exact" | "one" | "many";
  /** The name, or the part before `.*` and `.**`; empty for `any`. */
  readonly name: string;
}

export type TargetProblem = "empty" | "wildcard-not-last" | "intra-segment";

/** Reads a target: segments joined by dots, the last of which may be `*` or `**`. */
export function readTarget(spelling: string): Target | { readonly problem: TargetProblem } {
  if (spelling === "*" || spelling === "**") return { spelling, covers: "any", name: "" };
  const segments = spelling.split(".");
  if (segments.includes("")) return { problem: "empty" };
  if (segments.some((segment) => segment.includes("*") && !isWildcard(segment))) return { problem: "intra-segment" };
  const last = segments.pop()!;
  if (segments.some(isWildcard)) return { problem: "wildcard-not-last" };
  if (!isWildcard(last)) return { spelling, covers: "exact", name: spelling };
  return { spelling, covers: last === "*" ? "one" : "many", name: segments.join(".") };
}

function isWildcard(segment: string): boolean {
  return segment === "*" || segment === "**";
}

/** True when the target covers `name`, which is a key's name or an admin operation's reserved text. */
export function matchesTarget(target: Target, name: string): boolean {
  if (target.covers === "any") return true;
  if (target.covers === "exact") return name === target.name;
  const rest = target.name.length + 1;
  if (name.length <= rest || name[rest - 1] !== "." || !name.startsWith(target.name)) return false;
  return target.covers === "many" || !name.includes(".", rest);
}
