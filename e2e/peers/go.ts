import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { hasProgram } from "./program.ts";

const run = promisify(execFile);

/** Whether {@link goInstall} and {@link goBuild} can work here; see {@link hasProgram}. */
export function hasGo(): boolean {
  return hasProgram("go", ["version"]);
}

/** Builds a published program, once for a version. @param program - `module/path@version`. @returns Its path. */
export function goInstall(program: string): Promise<string> {
  const name = /([^/@]+)@/.exec(program)?.[1] ?? "";
  return once(program, name, (folder) => run("go", ["install", program], { env: { ...process.env, GOBIN: folder } }));
}

/** Builds the program in a folder, once for its sources. @returns Its path. */
export async function goBuild(source: string): Promise<string> {
  const files = await Promise.all(["main.go", "go.mod", "go.sum"].map((name) => readFile(join(source, name))));
  const id = createHash("sha256").update(Buffer.concat(files)).digest("hex");
  return once(id, "program", (folder) => run("go", ["build", "-o", join(folder, "program"), "."], { cwd: source }));
}

/** Several processes may build at once; what is complete is renamed into place. */
async function once(what: string, name: string, build: (folder: string) => Promise<unknown>): Promise<string> {
  const id = createHash("sha256").update(what).digest("hex").slice(0, 16);
  const home = join(tmpdir(), `basil-go-${process.getuid?.() ?? 0}`);
  const folder = join(home, id);
  const program = join(folder, name);
  if (
    await access(program).then(
      () => true,
      () => false,
    )
  )
    return program;
  await mkdir(home, { recursive: true, mode: 0o700 });
  const building = await mkdtemp(join(home, "build-"));
  await build(building);
  await rename(building, folder).catch(() => rm(building, { recursive: true }));
  return program;
}
