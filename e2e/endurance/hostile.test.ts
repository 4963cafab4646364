import { describe, expect, it } from "vitest";
import { hostileRounds, hostileVerdict } from "./hostile.js";

describe("an agent under hostile input", () => {
  it("stays alive and answers, and gives memory and descriptors back", async () => {
    const report = await hostileRounds({ seconds: 8, connections: 600 });
    const verdict = hostileVerdict(report);
    expect(Object.values(verdict), JSON.stringify({ verdict, report }, null, 2)).not.toContain(false);
    expect(report.attacks).toBeGreaterThan(100);
  }, 90_000);
});
