import { execFile } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..", "..");

/** Packs each package as it would be published; answers tarball paths by package folder. */
export async function packAll(destination: string): Promise<Map<string, string>> {
  await mkdir(destination, { recursive: true });
  const folders = await readdir(join(root, "packages"));
  const tarballs = new Map<string, string>();
  for (const folder of folders) {
    const into = join(destination, folder);
    await mkdir(into);
    await run("npx", ["-y", "pnpm@12", "pack", "--pack-destination", into], { cwd: join(root, "packages", folder) });
    const [tarball] = await readdir(into);
    if (tarball === undefined) throw new Error(`packing ${folder} made no tarball`);
    tarballs.set(folder, join(into, tarball));
  }
  return tarballs;
}

/** Installs tarballs with npm into a fresh project. What is not among them is not there. */
export async function installWithNpm(project: string, tarballs: readonly string[]): Promise<void> {
  await mkdir(project, { recursive: true });
  await writeFile(join(project, "package.json"), JSON.stringify({ name: "someone", private: true, type: "module" }));
  await run("npm", ["install", "--no-audit", "--no-fund", "--omit=optional", ...tarballs], { cwd: project });
}
