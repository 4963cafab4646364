import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";

export const program = join(import.meta.dirname, "../../packages/cli/bin/basil.js");

export interface Answer {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface TypeOptions {
  /** The whole environment; nothing is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string | Uint8Array;
  /** What standard input is opened from, in place of `stdin`. */
  readonly stdinFile?: string;
  /** Nobody reads standard output. */
  readonly deaf?: boolean;
  /** Where standard output goes; the answer then has none. */
  readonly stdoutFile?: string;
  /** Told of the process, to send it signals. */
  readonly onSpawn?: (kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs `basil` with these words, as a shell would, to its end. */
export function basil(words: readonly string[], options: TypeOptions = {}): Promise<Answer> {
  const { env = {}, cwd, stdin = "", stdinFile, deaf = false, stdoutFile, onSpawn } = options;
  const source = stdinFile === undefined ? undefined : openSync(stdinFile, "r");
  const file = stdoutFile === undefined ? undefined : openSync(stdoutFile, "w");
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...words], {
      env: { PATH: process.env.PATH, ...env },
      ...(cwd !== undefined && { cwd }),
      stdio: [source ?? "pipe", file ?? "pipe", "pipe"],
    });
    for (const opened of [source, file]) if (opened !== undefined) closeSync(opened);
    let [stdout, stderr] = ["", ""];
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    if (deaf) child.stdout?.destroy();
    child.once("error", reject);
    child.once("close", (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
    child.stdin?.on("error", () => {});
    child.stdin?.end(stdin);
    onSpawn?.((signal) => child.kill(signal));
  });
}

/** A line as a person types it, without quotes or escapes: words between blanks. */
export function typed(line: string, options: TypeOptions = {}): Promise<Answer> {
  const [first, ...words] = line.split(" ").filter((word) => word !== "");
  if (first !== "basil") throw new TypeError(`a line begins with basil: ${line}`);
  return basil(words, options);
}
