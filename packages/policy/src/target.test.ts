import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchesTarget, readTarget, type Target } from "./target.js";

function target(spelling: string): Target {
  const read = readTarget(spelling);
  if ("problem" in read) throw new Error(read.problem);
  return read;
}

/** The rule as the format states it, written as a regular expression. */
function naive(spelling: string, name: string): boolean {
  if (spelling === "*" || spelling === "**") return true;
  const parts = spelling.split(".").map((part) => {
    if (part === "*") return "[^.]+";
    if (part === "**") return "[^.]+(?:\\.[^.]+)*";
    return part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("\\.")}$`).test(name);
}

const segment = fc.string({ unit: fc.constantFrom("a", "b", "0", "_"), minLength: 1, maxLength: 3 });
const oddSegment = fc.oneof(segment, fc.constantFrom("?", "[a-z]+", "a|b", "$", "(", "\\", "日本", "A"));
const name = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join("."));
const spelling = fc.oneof(
  fc.constantFrom("*", "**"),
  fc
    .tuple(fc.array(oddSegment, { minLength: 1, maxLength: 3 }), fc.constantFrom("", ".*", ".**"))
    .map(([segments, wildcard]) => segments.join(".") + wildcard),
);

describe("matchesTarget", () => {
  it.for([
    ["*", [true, true, true, true]],
    ["**", [true, true, true, true]],
    ["web", [true, false, false, false]],
    ["web.*", [false, true, false, false]],
    ["web.**", [false, true, true, false]],
    ["web.tls.*", [false, false, true, false]],
    ["web.tls", [false, true, false, false]],
  ] as const)("%s covers web, web.tls, web.tls.key, webx.tls: %j (§2.8)", ([pattern, expected]) => {
    const names = ["web", "web.tls", "web.tls.key", "webx.tls"];
    expect(names.map((name) => matchesTarget(target(pattern), name))).toEqual(expected);
  });

  it("agrees with a regular expression, and reads text that looks like one as text (§2.8)", () => {
    fc.assert(
      fc.property(spelling, name, fc.array(segment, { maxLength: 2 }), (pattern, other, tail) => {
        // Names near the pattern, besides any name, so that matches are not rare.
        const prefix = pattern.replace(/\.?\*+$/, "");
        for (const candidate of [other, prefix, [prefix, ...tail].join("."), `${prefix}x.a`, `x${prefix}`]) {
          if (candidate === "" || candidate.startsWith(".")) continue;
          expect([candidate, matchesTarget(target(pattern), candidate)]).toEqual([
            candidate,
            naive(pattern, candidate),
          ]);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("is case-sensitive (§2.8)", () => expect(matchesTarget(target("Web.TLS"), "web.tls")).toBe(false));

  it("answers in bounded time however odd the target", () => {
    const pattern = `${"a.".repeat(1_000_000)}**`;
    expect(matchesTarget(target(pattern), `${"a.".repeat(1_000_000)}b`)).toBe(true);
    expect(readTarget("*a".repeat(1_000_000))).toEqual({ problem: "intra-segment" });
  });
});

describe("readTarget", () => {
  it.for([
    ["", "empty"],
    [".", "empty"],
    ["a..b", "empty"],
    [".a", "empty"],
    ["a.", "empty"],
    ["*.b", "wildcard-not-last"],
    ["a.*.c", "wildcard-not-last"],
    ["a.**.c", "wildcard-not-last"],
    ["*.*", "wildcard-not-last"],
    ["a*", "intra-segment"],
    ["*b", "intra-segment"],
    ["a.b***", "intra-segment"],
    ["a.***", "intra-segment"],
    ["***", "intra-segment"],
  ] as const)("refuses %j as %s (§2.8)", ([text, problem]) => expect(readTarget(text)).toEqual({ problem }));

  it("keeps the spelling (§2.8)", () => {
    fc.assert(
      fc.property(spelling, (text) => {
        expect(target(text).spelling).toBe(text);
      }),
    );
  });
});
