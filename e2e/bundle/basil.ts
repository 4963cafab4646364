import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export const program = fileURLToPath(new URL("../../packages/cli/bin/basil.js", import.meta.url));

export interface Answer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

export interface WorkFolder {
  readonly folder: string;
  /** Runs `basil …` in the folder as a process of its own. */
  basil(...args: readonly string[]): Promise<Answer>;
  basilWith(options: RunOptions, ...args: readonly string[]): Promise<Answer>;
  /** Starts it and lets it run. */
  start(...args: readonly string[]): ChildProcess;
}

/** A folder that goes when the test does. */
export async function workFolder(): Promise<WorkFolder> {
  const folder = await mkdtemp(join(tmpdir(), "basil-e2e-bundle-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return {
    folder,
    basil: (...args) => run(process.execPath, [program, ...args], folder),
    basilWith: (options, ...args) => run(process.execPath, [program, ...args], folder, options),
    start: (...args) => spawn(process.execPath, [program, ...args], { cwd: folder, stdio: "ignore" }),
  };
}

export function run(file: string, args: readonly string[], cwd: string, options: RunOptions = {}): Promise<Answer> {
  const { input, env } = options;
  return new Promise((resolve, reject) => {
    const settings = { cwd, maxBuffer: 1 << 24, ...(env && { env: { ...process.env, ...env } }) };
    const child = execFile(file, args, settings, (error, stdout, stderr) => {
      // A program that ran and failed has a number here; one that could not be started has not.
      if (error !== null && typeof error.code !== "number") reject(error);
      else resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
    child.stdin?.end(input ?? "");
  });
}
