import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { disableCoreDumps } from "./core-dumps.js";

describe("disableCoreDumps", () => {
  it("leaves no core file to this process", async () => {
    expect(await disableCoreDumps()).toBe(true);
    if (process.platform !== "linux") return;
    expect(await readFile("/proc/self/limits", "utf8")).toMatch(/^Max core file size +0 +0 /m);
  });
});
