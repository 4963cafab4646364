import { type Command, CommanderError } from "commander";
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
  } catch (caught) {
    const error = unknownFlagFirst(caught, program, argv);
    const failure = describeFailure(error, commandPath(program, argv));
    writeFailure(error, failure, context.terminal, argv.includes("--debug"));
    return failure.exitCode;
  }
}

/** Commander reports a missing flag before an unknown one, although `--keyid` is the reason that `--key-id` is missing. */
function unknownFlagFirst(error: unknown, program: Command, argv: readonly string[]): unknown {
  if (!(error instanceof CommanderError) || error.code !== "commander.missingMandatoryOptionValue") return error;
  const chain = [program];
  for (const word of argv) {
    const next = chain.at(-1)?.commands.find((command) => command.name() === word);
    if (next !== undefined) chain.push(next);
  }
  const known = new Set(chain.flatMap(({ options }) => options.flatMap(({ long, short }) => [long, short])));
  const end = argv.indexOf("--");
  const flags = argv.slice(0, end < 0 ? argv.length : end).filter((word) => word.startsWith("--"));
  const unknown = flags.map((word) => word.split("=")[0] ?? "").find((flag) => flag !== "--help" && !known.has(flag));
  if (unknown === undefined) return error;
  try {
    // Commander's own, which has no other way in: it adds the flag that was probably meant.
    (chain.at(-1) as Command & { unknownOption(flag: string): never }).unknownOption(unknown);
  } catch (better) {
    return better;
  }
}
