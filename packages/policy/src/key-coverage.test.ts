import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeyCoverage } from "./key-coverage.js";
import { matchesTarget, readTarget, type Target } from "./target.js";

describe("KeyCoverage", () => {
  it("covers what the target matches, in the order given", () => {
    const segment = fc.constantFrom("a", "b", "ab");
    const name = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join("."));
    const spelling = fc.oneof(
      fc.constantFrom("*", "**"),
      fc.tuple(name, fc.constantFrom("", ".*", ".**")).map(([prefix, wildcard]) => prefix + wildcard),
    );
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 12 }), spelling, (names, text) => {
        const target = readTarget(text) as Target;
        expect(new KeyCoverage(names).covered(target)).toEqual(names.filter((one) => matchesTarget(target, one)));
      }),
    );
  });
});
