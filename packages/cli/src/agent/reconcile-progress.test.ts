import type { ReconcileProgress } from "@basil/core";
import { describe, expect, it } from "vitest";
import { reconcileProgress } from "./reconcile-progress.js";

describe("reconcileProgress", () => {
  const event = (pass: ReconcileProgress["pass"], done: number) => ({ pass, done, total: 100 }) as ReconcileProgress;

  it("tells once a second how far it is, and nothing of a run that is shorter", () => {
    const lines: string[] = [];
    let time = 0;
    const tell = reconcileProgress({ info: (_, message) => lines.push(message) }, () => time);
    for (let done = 1; done <= 100; done++) {
      time += 25;
      tell(event("probe", done));
    }
    time += 999;
    tell(event("generate", 1));
    time += 1;
    tell(event("generate", 2));
    expect(lines).toEqual(["40 of 100 keys looked for", "80 of 100 keys looked for", "1 of 100 keys created"]);
    tell(event("generate", 3));
    expect(lines).toHaveLength(3);
  });
});
