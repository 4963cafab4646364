import { commands } from "./commands.js";
import type { CommandContext } from "./context.js";
import { EXIT } from "./exit-code.js";
import { commandPath, describeFailure, writeFailure } from "./failure.js";
import { createProgram } from "./program.js";

/** Runs the command that `argv` names, tells a failure, and gives the exit code. */
export async function runProgram(argv: readonly string[], context: CommandContext): Promise<number> {
  let exitCode: number = EXIT.done;
  const finished = (code: number): void => {
    exitCode = code;
  };
  const program = await createProgram(commands, argv, { context, finished });
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    const failure = describeFailure(error, commandPath(program, argv));
    writeFailure(error, failure, context.terminal, argv.includes("--debug"));
    return failure.exitCode;
  }
}
