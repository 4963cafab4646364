// Runs the benchmarks named on the command line, or all, one after another, each in a process of its own. Arguments from the
// first `--flag` on are passed to them.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";

const folder = import.meta.dirname;
const all = readdirSync(folder)
  .filter((name) => name.endsWith(".ts") && name !== basename(import.meta.filename))
  .map((name) => name.slice(0, -".ts".length));
const words = process.argv.slice(2);
const flagsAt = words.findIndex((word) => word.startsWith("--"));
const [wanted, flags] = flagsAt < 0 ? [words, []] : [words.slice(0, flagsAt), words.slice(flagsAt)];
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`no benchmark named ${unknown.join(", ")}; there are: ${all.join(", ")}`);
  process.exit(2);
}
for (const name of wanted.length > 0 ? wanted : all) {
  console.log(`== ${name}`);
  const { status } = spawnSync(process.execPath, [join(folder, `${name}.ts`), ...flags], { stdio: "inherit" });
  if (status !== 0) process.exit(1);
}
