import { execFile } from "node:child_process";
import { mkdir, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
export const root = join(import.meta.dirname, "..", "..");

/** The pnpm that runs these tests, or else the one that the workspace names. */
function pnpmCommand(): readonly string[] {
  const running = process.env.npm_execpath ?? "";
  if (!basename(running).startsWith("pnpm")) return ["npx", "-y", "pnpm@12"];
  return /\.[cm]?js$/.test(running) ? [process.execPath, running] : [running];
}

export async function pnpm(args: readonly string[], cwd: string): Promise<void> {
  const [program = "", ...before] = pnpmCommand();
  await run(program, [...before, ...args], { cwd, maxBuffer: 64 << 20 });
}

/** Packs each package as it would be published, declarations included; answers tarball paths by package folder. */
export async function packAll(destination: string): Promise<Map<string, string>> {
  await mkdir(destination, { recursive: true });
  await pnpm(["exec", "turbo", "run", "build:types", "--output-logs=errors-only"], root);
  await pnpm(["--recursive", "--filter", "./packages/*", "pack", "--pack-destination", destination], root);
  const packed = await readdir(destination);
  const tarballs = new Map<string, string>();
  for (const folder of await readdir(join(root, "packages"))) {
    const tarball = packed.find((file) => file.replace(/-\d+\.\d+\.\d+.*$/, "") === `basil-${folder}`);
    if (tarball === undefined) throw new Error(`packing ${folder} made no tarball`);
    tarballs.set(folder, join(destination, tarball));
  }
  return tarballs;
}
