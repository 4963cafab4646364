import { describe, expect, it } from "vitest";
import { liveProgress } from "./live-progress.js";

function told(isTerminal: boolean, steps: readonly (readonly [at: number, done: number])[]): string[] {
  const lines: string[] = [];
  let at = 0;
  const progress = liveProgress("kms", { isTerminal, err: (line) => lines.push(line) }, () => at);
  for (const [time, done] of steps) {
    at = time;
    progress(done, 100);
  }
  return lines;
}

describe("liveProgress", () => {
  it("tells a person once a second how far it is", () => {
    expect(
      told(true, [
        [500, 1],
        [1000, 20],
        [1500, 30],
        [2100, 60],
        [3200, 100],
      ]),
    ).toEqual(["kms: asked about 20 of 100 keys", "kms: asked about 60 of 100 keys"]);
  });

  it("says nothing of what takes less, and nothing to a pipe", () => {
    expect(
      told(true, [
        [900, 50],
        [999, 100],
      ]),
    ).toEqual([]);
    expect(
      told(false, [
        [1000, 20],
        [2000, 60],
      ]),
    ).toEqual([]);
  });
});
