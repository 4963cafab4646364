/** Packs what a release publishes: `node scripts/pack-release.ts --tag v1.2.3 --repository https://host/owner/name --to DIR`. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { releaseProblems, withRepository } from "./release-manifest.ts";

const root = join(import.meta.dirname, "..");
const { values } = parseArgs({
  options: { tag: { type: "string" }, repository: { type: "string" }, to: { type: "string" } },
});
const { tag, repository, to } = values;
if (tag === undefined || repository === undefined || to === undefined) {
  console.error("needed: --tag, --repository, --to");
  process.exit(2);
}

const folders = readdirSync(join(root, "packages")).sort();
const manifestFile = (folder: string): string => join(root, "packages", folder, "package.json");
const manifests = new Map(folders.map((folder) => [folder, JSON.parse(readFileSync(manifestFile(folder), "utf8"))]));
const pending = readdirSync(join(root, ".changeset")).filter((file) => file.endsWith(".md"));

const problems = releaseProblems({ tag, repository, pending, manifests });
if (problems.length > 0) {
  for (const problem of problems) console.error(problem);
  process.exit(1);
}

for (const [folder, manifest] of manifests) {
  writeFileSync(manifestFile(folder), `${JSON.stringify(withRepository(manifest, repository, folder), null, 2)}\n`);
}
mkdirSync(to, { recursive: true });
const pack = ["--recursive", "--filter", "./packages/*", "pack", "--pack-destination", to];
execFileSync("npx", ["-y", "pnpm@12", ...pack], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
console.log(readdirSync(to).sort().join("\n"));
