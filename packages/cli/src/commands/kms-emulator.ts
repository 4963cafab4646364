import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { installCommand, packageManifest } from "../backend-kinds.js";
import { CliError } from "../cli-error.js";
import { defineCommand, type GlobalOptions } from "../command.js";
import type { CommandContext } from "../context.js";

const PACKAGE = "@basil/aws-kms-emulator";

export const kmsEmulator = defineCommand<GlobalOptions, { readonly exit_code: number }>({
  name: "kms-emulator",
  summary: "run an AWS KMS of your own on loopback, to try things out; takes the flags of aws-kms-emulator",
  examples: ["basil kms-emulator -- --help", "basil kms-emulator -- --port 4599"],
  declare(command) {
    command.argument("[flags...]", "what aws-kms-emulator takes, after --");
  },
  async run({ operands }, context) {
    const manifest = packageManifest(PACKAGE);
    if (manifest === undefined) {
      throw new CliError(
        "PACKAGE_MISSING",
        `the package ${PACKAGE} is not installed`,
        { package: PACKAGE },
        {
          remedy: `install it: ${installCommand(PACKAGE)}`,
        },
      );
    }
    return { exit_code: await runProgram(await programOf(manifest), operands, context) };
  },
  render() {},
  json: () => undefined,
  exitCode: ({ exit_code }) => exit_code,
});

async function programOf(manifest: string): Promise<string> {
  const { bin } = JSON.parse(await readFile(manifest, "utf8")) as { bin: Record<string, string> };
  const [program] = Object.values(bin);
  if (program === undefined) throw new TypeError(`${manifest} names no program`);
  return join(dirname(manifest), program);
}

/** On the streams of this process; it is told to stop when this one is. */
function runProgram(
  program: string,
  args: readonly string[],
  { self, env, cwd, signal }: CommandContext,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(self[0], [program, ...args], { stdio: "inherit", env, cwd });
    const stop = (): void => void child.kill("SIGTERM");
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    child.once("error", reject);
    child.once("close", (code) => {
      signal.removeEventListener("abort", stop);
      resolve(code ?? 1);
    });
  });
}
