import { spawn, spawnSync } from "node:child_process";
import type { TestContext } from "vitest";

/** Debian has them in `age`, `openssh-client`, `bsdutils` and `util-linux`. Without one a test is skipped by name; in CI it fails. */
export function need(context: TestContext, ...programs: readonly string[]): void {
  for (const program of programs) {
    const { error } = spawnSync(program, ["--version"], { stdio: "ignore", timeout: 20_000 });
    if (error === undefined) continue;
    if (process.env.CI === "true") throw new Error(`${program} is not installed`);
    context.skip(`${program} is not installed`);
  }
}

const CTRL_C = "\u0003";

/**
 * Runs a command line at a terminal of its own and types `answers` one after the other, each when `prompt` is shown again.
 * Return is pressed after each, but for one that ends in Ctrl-C.
 */
export function atTerminal(
  folder: string,
  line: string,
  prompt: RegExp,
  answers: readonly string[],
): Promise<{ readonly status: number | null; readonly seen: string }> {
  return new Promise((resolve, reject) => {
    // `script` runs the line in $SHELL, else in sh, and dash answers 130 after Ctrl-C whatever status the program chose.
    const child = spawn("script", ["-qec", line, "/dev/null"], {
      cwd: folder,
      env: { ...process.env, SHELL: "/bin/bash" },
    });
    const left = [...answers];
    let seen = "";
    let looked = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
      if (left.length === 0 || !prompt.test(seen.slice(looked))) return;
      looked = seen.length;
      const answer = left.shift() ?? "";
      child.stdin.write(answer.endsWith(CTRL_C) ? answer : `${answer}\r`);
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, seen }));
  });
}
