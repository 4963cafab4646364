import { describe, expect, it } from "vitest";
import { jsonPointer } from "./json-pointer.js";
import { escapeControls, MAX_REFUSALS, RefusalList, showValue } from "./refusal.js";

const parts = { code: "X", pointer: "/a", problem: "wrong", found: "b", allowed: "c" } as const;

describe("RefusalList", () => {
  it("says place, problem, find, allowance and near miss on one line", () => {
    const refusals = new RefusalList<"X">();
    refusals.add({ ...parts, found: "kmss", vocabulary: ["kms"] });
    expect(refusals.items).toEqual([
      {
        code: "X",
        pointer: "/a",
        message: '/a: wrong; found "kmss"; allowed: c; did you mean "kms"?',
        found: '"kmss"',
        allowed: "c",
        suggestion: "kms",
      },
    ]);
  });

  it("lets nothing of a document break the line or reach the terminal raw", () => {
    const refusals = new RefusalList<"X">();
    refusals.add({ ...parts, pointer: "/a\n\u001b[2J\u202e", found: "b\r\n\u001b]0;x\u2028" });
    expect(refusals.items[0]!.message).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(refusals.items[0]!.pointer).toBe("/a\n\u001b[2J\u202e");
  });

  it("keeps a bounded number and says that there may be more", () => {
    const refusals = new RefusalList<"X">();
    for (let i = 0; i < MAX_REFUSALS; i++) refusals.add(parts);
    expect([refusals.full, refusals.items.length]).toEqual([true, MAX_REFUSALS]);
    refusals.add(parts);
    expect(refusals.items).toHaveLength(MAX_REFUSALS);
    expect(refusals.describe("it").split("\n")[0]).toBe("it refused, 1000 reasons, and there may be more:");
  });

  it("keeps a bounded size", () => {
    const refusals = new RefusalList<"X">();
    refusals.add({ ...parts, pointer: `/${"x".repeat(2_000_000)}` });
    expect(refusals.full).toBe(true);
    expect(refusals.items[0]!.message.length).toBeLessThan(1000);
  });
});

describe("showValue", () => {
  it.for([
    [undefined, "nothing"],
    [null, "null"],
    [true, "true"],
    [7, "7"],
    ["x", '"x"'],
    [[], "an empty array"],
    [[1], "an array"],
    [{}, "an empty object"],
    [{ a: 1 }, "an object"],
  ] as const)("shows %j as %s", ([value, shown]) => expect(showValue(value)).toBe(shown));

  it("cuts a long text and leaves no half of a pair", () => {
    const shown = showValue("😀".repeat(1000));
    expect(shown.length).toBeLessThan(100);
    expect(shown.isWellFormed()).toBe(true);
  });
});

describe("escapeControls", () => {
  it("escapes control and format characters and nothing else", () => {
    expect(escapeControls("aé漢\u0000\u007f\u200b\u202e")).toBe("aé漢\\u{0}\\u{7f}\\u{200b}\\u{202e}");
  });
});

describe("jsonPointer", () => {
  it("escapes ~ and / (RFC 6901 §3)", () => expect(jsonPointer("/k", "a/b~c", 0, "")).toBe("/k/a~1b~0c/0/"));
});
