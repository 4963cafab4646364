import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { lstat, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { hasProgram } from "./program.ts";

const run = promisify(execFile);

/** Whether `pythonVenv` can work here; see {@link hasProgram}. */
export function hasPython(): boolean {
  return hasProgram("python3", ["-c", "import venv, ensurepip"]);
}

const patienceMs = 300_000;

/**
 * The interpreter of a virtual environment that holds `packages` (pip requirements, best with versions).
 *
 * It is made once for a list of packages and kept under the folder for temporary files, so that test files and runs share it.
 * Several processes may ask at once: one makes it, the others wait, up to five minutes.
 */
export async function pythonVenv(packages: string[]): Promise<string> {
  const list = [...packages].sort();
  const id = createHash("sha256").update(list.join("\n")).digest("hex").slice(0, 16);
  const user = process.getuid?.() ?? 0;
  const home = join(tmpdir(), `basil-python-${user}`);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const owner = await lstat(home);
  if (!owner.isDirectory() || owner.uid !== user) throw new Error(`${home} belongs to someone else`);
  const folder = join(home, id);
  const python = join(folder, "bin", "python");
  const ready = join(folder, "ready");
  const lock = `${folder}.lock`;
  const until = performance.now() + patienceMs;
  while (!existsSync(ready)) {
    if (takeLock(lock)) {
      try {
        if (!existsSync(ready)) await make(folder, python, list, ready);
      } finally {
        rmSync(lock, { recursive: true, force: true });
      }
    } else {
      if (performance.now() > until) throw new Error(`${lock} was held for ${patienceMs / 1000} s`);
      await wait(200);
    }
  }
  return python;
}

async function make(folder: string, python: string, packages: readonly string[], ready: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await run("python3", ["-m", "venv", folder]);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", ...packages];
  await run(python, pip, { maxBuffer: 16 * 1024 * 1024 });
  await writeFile(ready, `${packages.join("\n")}\n`);
}

/** A folder is made by one process only. One whose maker is gone is taken away. */
function takeLock(lock: string): boolean {
  const owner = join(lock, "pid");
  try {
    mkdirSync(lock, { mode: 0o700 });
    writeFileSync(owner, String(process.pid));
    return true;
  } catch {
    if (isStale(lock, owner)) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

function isStale(lock: string, owner: string): boolean {
  try {
    // Right after the folder there is no pid yet; give its maker a moment.
    if (!existsSync(owner)) return Date.now() - statSync(lock).mtimeMs > 10_000;
    process.kill(Number(readFileSync(owner, "utf8")), 0);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}
