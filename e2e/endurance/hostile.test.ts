import { describe, expect, it } from "vitest";
import { type AttackName, hostileRounds, hostileVerdict } from "./hostile.js";

// Floods of streams are for the long run: on a busy machine they keep the processor, not only the agent.
const attacks: readonly AttackName[] = [
  "random bytes",
  "random bytes after the preface",
  "random frames",
  "part of the preface",
  "HTTP/1",
  "length prefixes far beyond what comes",
  "messages of 5 MB",
  "messages of random bytes",
  "a message byte by byte",
  "a header block without end",
];

describe("an agent under hostile input", () => {
  it("stays alive and answers, and gives memory and descriptors back", async () => {
    const report = await hostileRounds({ seconds: 3, connections: 600, warmUpSeconds: 5, attacks });
    const verdict = hostileVerdict(report);
    expect(Object.values(verdict), JSON.stringify({ verdict, report }, null, 2)).not.toContain(false);
    expect(report.attacks).toBeGreaterThan(100);
  }, 90_000);
});
