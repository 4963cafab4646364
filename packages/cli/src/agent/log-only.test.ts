import { describe, expect, it, vi } from "vitest";
import { logOnly } from "./log-only.js";

describe("what packages write to the console", () => {
  it("goes to the logger alone, escaped and at most 1,000 characters of it, until the agent ends", async () => {
    const entries: unknown[] = [];
    const log = (fields: object, message: string) => void entries.push({ ...fields, message });
    const before = console.error;
    const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      using _ = logOnly({ info: log, warn: log, error: log });
      console.error("E header \u001b[2J %s", "x".repeat(5000));
      console.log("out");
      process.emitWarning("late");
      await new Promise((resolve) => setImmediate(resolve));
      expect(written).not.toHaveBeenCalled();
    } finally {
      written.mockRestore();
    }
    expect(entries).toMatchObject([
      { console: "error", text: expect.stringMatching(/^E header \\u001b\[2J x{900}/) },
      { console: "log", text: "out" },
      { name: "Warning", text: "late" },
    ]);
    expect(JSON.stringify(entries[0]).length).toBeLessThan(1200);
    expect(console.error).toBe(before);
  });
});
