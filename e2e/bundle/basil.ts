import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const program = fileURLToPath(new URL("../../packages/cli/bin/basil.js", import.meta.url));

export interface Answer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder that goes when the test does, and `basil bundle …` run in it as a process of its own. */
export async function workFolder(): Promise<{
  readonly folder: string;
  readonly basil: (...args: readonly string[]) => Promise<Answer>;
}> {
  const folder = await mkdtemp(join(tmpdir(), "basil-e2e-bundle-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const basil = (...args: readonly string[]) => run(process.execPath, [program, ...args], folder);
  return { folder, basil };
}

export function run(file: string, args: readonly string[], cwd: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    execFile(file, args, { cwd, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      // A program that ran and failed has a number here; one that could not be started has not.
      if (error !== null && typeof error.code !== "number") reject(error);
      else resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}
