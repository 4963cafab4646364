import { execFile } from "node:child_process";
import { mkdir, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
export const root = join(import.meta.dirname, "..", "..");

/** Runs pnpm: the one that runs these tests, or else the version that the workspace names. */
export async function pnpm(args: readonly string[], cwd: string): Promise<string> {
  const mine = process.env.npm_execpath ?? "";
  const [program, ...before] = basename(mine).startsWith("pnpm") ? [mine] : ["npx", "-y", "pnpm@12"];
  const command = mine.endsWith("js") ? [process.execPath, mine] : [program ?? mine, ...before];
  const { stdout } = await run(command[0] ?? "", [...command.slice(1), ...args], { cwd, maxBuffer: 64 << 20 });
  return stdout;
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
