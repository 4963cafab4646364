import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const MIB = 1024 * 1024;
const SOURCE = new URL("heap-growth.ts", import.meta.url).href;

/** A process that bounds the growth of its heap when it is told to, and then fills it, turn by turn. */
async function inProcess(bounds: string, work: string): Promise<number> {
  const script = `
    import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
    import { boundHeapGrowth } from ${JSON.stringify(SOURCE)};
    ${bounds}
    const space = (name) => getHeapSpaceStatistics().find(({ space_name }) => space_name === name);
    const semi = () => space("new_space").space_used_size + space("new_space").space_available_size;
    const old = () => space("old_space").space_used_size;
    const objects = () => Array.from({ length: 2000 }, (_, n) => ({ n, of: [n, n] }));
    const living = [];
    const keep = async (turns) => {
      for (let n = 0; n < turns; n++) {
        living.push(objects());
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    ${work}
  `;
  // On a small machine V8's own bound would be lower.
  const args = ["--max-semi-space-size=64", "--expose-gc", "--input-type=module", "-e", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: {} });
  return Number(stdout);
}

describe("boundHeapGrowth", () => {
  const survivors = "await keep(400); console.log(semi());";

  it("stops the young generation at 16 MiB a half, however much survives", async () => {
    const size = await inProcess("boundHeapGrowth([]);", survivors);
    expect(size).toBeGreaterThan(15 * MIB);
    expect(size).toBeLessThanOrEqual(16 * MIB);
  });

  it("leaves the young generation to an operator who chose its size", async () => {
    for (const option of ["--max-semi-space-size=64", "--inspect --max_semi_space_size=64"]) {
      const bounds = `boundHeapGrowth(["node", undefined, ${JSON.stringify(option)}]);`;
      expect(await inProcess(bounds, survivors)).toBeGreaterThan(16 * MIB);
    }
  });

  it("has the old generation collected before it is three times as large as what lives", async () => {
    const factor = await inProcess(
      `setFlagsFromString("--semi-space-growth-factor=1"); boundHeapGrowth(["--semi-space-growth-factor=1"]);`,
      `
        await keep(100);
        gc();
        const alive = old();
        let most = 0;
        for (let n = 0; n < 500; n++) {
          living[n % 100] = objects();
          await new Promise((resolve) => setTimeout(resolve, 1));
          most = Math.max(most, old());
        }
        console.log(most / alive);
      `,
    );
    expect(factor).toBeGreaterThan(1);
    expect(factor).toBeLessThan(3);
  });
});
