import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";

/** Writes `results/NAME.json`, with what the numbers depend on beside them. */
export function writeResult(name: string, result: Readonly<Record<string, unknown>>): void {
  const machine = { node: process.version, platform: `${process.platform}-${process.arch}`, cores: cpus().length };
  const text = `${JSON.stringify({ benchmark: name, machine, ...result }, null, 2)}\n`;
  writeFileSync(join(import.meta.dirname, "..", "results", `${name}.json`), text);
  process.stdout.write(text);
}
