import { BundleError } from "./errors.js";
import { LIMITS } from "./limits.js";

/** Why `name` cannot be an id, a kind or a label, or nothing when it can: 1 to 128 characters, no control characters. */
export function nameProblem(name: string): string | undefined {
  if (name === "") return "is empty";
  if (name.length > LIMITS.nameLength) return `is ${name.length} characters, at most ${LIMITS.nameLength} are allowed`;
  // Control and format characters would let a label forge a line of a listing; a lone surrogate has no UTF-8 form.
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(name)) return "holds a control character";
  return undefined;
}

export function requireName(field: string, name: string): void {
  const problem = nameProblem(name);
  if (problem !== undefined) throw new BundleError("MALFORMED", `${field} ${problem}`, { field });
}

/** Ids come in the order of their UTF-16 code units, each at most once: a set has one spelling. */
export function isSortedSet(names: readonly string[]): boolean {
  return names.every((name, index) => index === 0 || (names[index - 1] as string) < name);
}
