import { describe, expect, it } from "vitest";
import { killRounds } from "./kill-rounds.js";

describe("an agent that is killed under load", () => {
  it("starts again each time, has the line of every reply, and continues its chain", async () => {
    const report = await killRounds(3);
    expect(report.problems).toEqual([]);
    expect(report.kills).toBe(3);
    // There was load to lose something of.
    expect(report.replies).toBeGreaterThan(200);
    expect(report.recorded).toBeGreaterThan(50);
    expect(report.lines).toBeGreaterThanOrEqual(report.recorded);
  }, 120_000);
});
