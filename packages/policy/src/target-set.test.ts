import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchesTarget, readTarget, type Target } from "./target.js";
import { TargetSet } from "./target-set.js";

const target = (spelling: string) => readTarget(spelling) as Target;
const setOf = (...spellings: string[]) => {
  const set = new TargetSet();
  for (const spelling of spellings) set.add(target(spelling));
  return set;
};

/** Every name of up to four segments over two letters, which is enough to tell wildcards under two segments apart. */
const letters = ["a", "b"];
const names = letters.flatMap((one) => [
  one,
  ...letters.flatMap((two) => [
    `${one}.${two}`,
    ...letters.flatMap((three) => [
      `${one}.${two}.${three}`,
      ...letters.map((four) => `${one}.${two}.${three}.${four}`),
    ]),
  ]),
]);
const nameOf = (maxLength: number) =>
  fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength }).map((parts) => parts.join("."));
const spelling = fc.oneof(
  nameOf(4),
  nameOf(2).map((name) => `${name}.*`),
  nameOf(2).map((name) => `${name}.**`),
  fc.constantFrom("*", "**"),
);

describe("TargetSet", () => {
  it("includes a target exactly when one of its own covers every name of it", () => {
    fc.assert(
      fc.property(fc.array(spelling, { maxLength: 4 }), spelling, (own, asked) => {
        const covered = names.filter((name) => matchesTarget(target(asked), name));
        const expected = own.some((each) => covered.every((name) => matchesTarget(target(each), name)));
        expect(setOf(...own).includes(target(asked))).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  it("keeps the first of two that cover the same names", () => {
    expect([...setOf("a.*", "*", "a.b", "**", "a.*")].map((each) => each.spelling)).toEqual(["a.*", "*", "a.b"]);
  });
});
