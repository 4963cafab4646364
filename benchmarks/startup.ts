// From exec to the first byte on standard output: `node -p 0`, `basil --version`, `basil health` and `basil sign` against a running
// broker, each a process of its own, in turns. `ratio` is basil / node, taken round by round.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { startDeployment } from "./harness/deployment.ts";
import { writeResult } from "./harness/result.ts";

const ROUNDS = 41;
const program = join(import.meta.dirname, "..", "packages", "cli", "bin", "basil.js");

await using deployment = await startDeployment();
const env = { PATH: process.env.PATH ?? "", BASIL_SOCKET: deployment.socket };
const cases = {
  "node -p 0": ["-p", "0"],
  "basil --version": [program, "--version"],
  "basil health": [program, "health"],
  "basil sign": [program, "sign", "--key-id", "bench.key", "a message"],
} as const;
type Name = keyof typeof cases;
const names = Object.keys(cases) as Name[];

/** Milliseconds until the first byte; the process has ended well when this resolves. */
function firstByte(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
    let first: number | undefined;
    child.stdout.on("data", () => {
      first ??= performance.now() - start;
    });
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0 && first !== undefined) resolve(first);
      else reject(new Error(`${args.join(" ")} ended with ${code}`));
    });
  });
}

const times: Record<Name, number[]> = { "node -p 0": [], "basil --version": [], "basil health": [], "basil sign": [] };
for (const name of names) await firstByte(cases[name]);
for (let round = 0; round < ROUNDS; round++) {
  for (const name of round % 2 === 0 ? names : names.toReversed()) times[name].push(await firstByte(cases[name]));
}

const sorted = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);
const median = (values: readonly number[]): number => sorted(values)[Math.floor(values.length / 2)] ?? Number.NaN;
const round1 = (value: number): number => Math.round(value * 10) / 10;
const node = times["node -p 0"];
const results = names.map((name) => {
  const ratios = times[name].map((time, round) => time / (node[round] ?? Number.NaN));
  return {
    line: name,
    medianMs: round1(median(times[name])),
    fastestMs: round1(Math.min(...times[name])),
    ratio: Math.round(median(ratios) * 100) / 100,
  };
});
writeResult("startup", {
  unit: "milliseconds from exec to the first byte",
  ratioOf: "line / node -p 0",
  rounds: ROUNDS,
  results,
});
