import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

describe("the long runs", () => {
  it.for(["./hostile.ts", "./kill-rounds.ts", "../../benchmarks/harness/soak-run.ts"])(
    "are started with node alone, which finds %s and all that it imports",
    async (module) => {
      const script = `const module = await import(${JSON.stringify(new URL(module, import.meta.url).href)});
        console.log(Object.values(module).some((each) => typeof each === "function"));`;
      const run = promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { env: {} });
      expect((await run).stdout).toBe("true\n");
    },
  );
});
