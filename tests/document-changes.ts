import fc from "fast-check";

/** One change of a JSON document: walk down by the numbers, then replace, remove or add a member there. */
export interface DocumentChange {
  readonly steps: number[];
  readonly kind: "replace" | "remove" | "add";
  readonly member: string;
  readonly value: unknown;
}

export interface ChangeMaterial {
  /** How deep a change may reach. */
  readonly maxSteps: number;
  /** Names for added members. */
  readonly members: readonly string[];
  /** Strings for what is put in, alone and in lists. */
  readonly words: readonly string[];
  /** Other values that are put in. */
  readonly values: readonly unknown[];
}

export function documentChange({ maxSteps, members, words, values }: ChangeMaterial): fc.Arbitrary<DocumentChange> {
  return fc.record({
    steps: fc.array(fc.nat(), { minLength: 1, maxLength: maxSteps }),
    kind: fc.constantFrom("replace" as const, "remove" as const, "add" as const),
    member: fc.constantFrom(...members),
    value: fc.oneof(
      fc.constantFrom(...values),
      fc.constantFrom(...words),
      fc.array(fc.constantFrom<unknown>(...words, 1, null), { maxLength: 3 }),
    ),
  });
}

/** Changes the document itself. */
export function applyChange(document: unknown, { steps, kind, member, value }: DocumentChange): void {
  let holder = document as Record<string, unknown>;
  let name = "";
  for (const step of steps) {
    const names = Object.keys(holder);
    if (names.length === 0) break;
    name = names[step % names.length]!;
    const inner = holder[name];
    if (typeof inner !== "object" || inner === null) break;
    holder = inner as Record<string, unknown>;
  }
  if (kind === "add" && !Array.isArray(holder)) {
    Object.defineProperty(holder, member, { value, enumerable: true, configurable: true, writable: true });
  } else if (Array.isArray(holder)) holder.splice(0, 1, ...(kind === "remove" ? [] : [value]));
  else if (Object.hasOwn(holder, name)) {
    if (kind === "remove") delete holder[name];
    else holder[name] = value;
  }
}
