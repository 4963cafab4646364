import { describe, expect, it } from "vitest";
import { soak } from "../../benchmarks/harness/soak-run.js";

describe("an agent at 80 % of its peak, with faults and reloads", () => {
  it("gives no wrong answer and loses no audit line", async () => {
    const result = await soak({ seconds: 4, peakSeconds: 1, faultSeconds: 1, reloadSeconds: 1 });
    expect(result).toMatchObject({
      wrongAnswers: 0,
      wrong: [],
      lostAuditLines: 0,
      auditChainOk: true,
      lostConnections: 0,
    });
    expect(result.reloads).toBeGreaterThanOrEqual(2);
    expect(result.answered).toBeGreaterThan(500);
  }, 60_000);
});
