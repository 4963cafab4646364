import { describe, expect, it } from "vitest";
import { createTerminal } from "../terminal.js";
import { fatal, ok, warn } from "./check.js";
import { doctorReport, renderDoctorReport } from "./report.js";

function rendered(...checks: Parameters<typeof doctorReport>[0][number][]): string[] {
  let text = "";
  const stdout = { write: (chunk: string) => (text += chunk), isTTY: false } as unknown as NodeJS.WriteStream;
  renderDoctorReport(doctorReport(checks), createTerminal({ stdout, stderr: stdout, env: {} }));
  return text.trimEnd().split("\n");
}

describe("doctorReport", () => {
  it("counts the rows by status", () => {
    const report = doctorReport([ok("a", ""), warn("b", "", "x"), warn("c", "", "x")]);
    expect(report.summary).toEqual({ total: 3, ok: 1, warn: 2, fatal: 0, blocking: false });
  });

  it("is blocking as soon as one row is fatal", () => {
    expect(doctorReport([ok("a", ""), fatal("b", "", "x")]).summary.blocking).toBe(true);
  });
});

describe("renderDoctorReport", () => {
  it("shows each row with its status, and the remedy under it", () => {
    expect(rendered(ok("a", "fine"), warn("b", "odd", "look"), fatal("c", "bad", "repair"))).toEqual([
      "basil doctor: 3 checks",
      "[OK   ] a: fine",
      "[WARN ] b: odd",
      "        → look",
      "[FATAL] c: bad",
      "        → repair",
      "summary: 1 ok, 1 warn, 1 fatal",
      "result: BLOCKING",
    ]);
  });

  it("says one check of one", () => {
    expect(rendered(ok("a", ""))[0]).toBe("basil doctor: 1 check");
  });

  it.for([
    [[ok("a", "")], "result: OK"],
    [[warn("a", "", "x")], "result: OK with advisories"],
  ] as const)("ends in one word of judgement", ([checks, last]) => {
    expect(rendered(...checks).at(-1)).toBe(last);
  });
});
