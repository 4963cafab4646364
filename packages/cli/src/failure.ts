import { type Command, CommanderError } from "commander";
import { CliError, type CliErrorCode } from "./cli-error.js";
import { EXIT, exitCodeOf } from "./exit-code.js";
import type { Terminal } from "./terminal.js";

/** What the operator sees of a failure: one sentence what happened, one what to do. */
export interface Failure {
  /** Nothing is written when it is left out: help was asked for and given. */
  readonly message?: string;
  readonly problems?: readonly string[];
  readonly remedy?: string;
  readonly exitCode: number;
}

/** @param commandPath - The names typed so far, e.g. `basil bundle create`. */
export function describeFailure(error: unknown, commandPath: string): Failure {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return { exitCode: EXIT.done };
    // No subcommand was given: commander has written the help already.
    if (error.code === "commander.help") return { exitCode: EXIT.usage };
    return {
      message: error.message.replace(/^error: /, "").replaceAll("\n", " "),
      remedy: `run '${commandPath} --help' to see what it takes`,
      exitCode: EXIT.usage,
    };
  }
  if (error instanceof CliError) {
    const remedy = error.remedy ?? defaultRemedy(error.code, commandPath);
    return {
      message: error.message,
      ...("problems" in error.details && { problems: error.details.problems }),
      ...(remedy !== undefined && { remedy }),
      exitCode: exitCodeOf(error.code),
    };
  }
  return {
    message: error instanceof Error ? error.message : String(error),
    remedy: "run it again with --debug to see where it comes from",
    exitCode: EXIT.no,
  };
}

function defaultRemedy(code: CliErrorCode, commandPath: string): string | undefined {
  if (code === "USAGE") return `run '${commandPath} --help' to see what it takes`;
  return code === "DEADLINE" ? "run it again" : undefined;
}

export function writeFailure(error: unknown, failure: Failure, terminal: Terminal, debug: boolean): void {
  const { err, errColors } = terminal;
  if (failure.message !== undefined) err(`${errColors.red("error:")} ${failure.message}`);
  for (const problem of failure.problems ?? []) err(`  ${problem}`);
  if (failure.remedy !== undefined) err(`${errColors.cyan("hint:")} ${failure.remedy}`);
  if (debug && failure.message !== undefined) err(stackOf(error));
}

function stackOf(error: unknown): string {
  const lines: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) {
    lines.push(`${lines.length === 0 ? "" : "caused by: "}${at.stack ?? at.message}`);
  }
  return lines.join("\n");
}

/** The path of names in `argv` that are commands, e.g. `basil bundle create`, with the one that is meant when none is named. */
export function commandPath(program: Command, argv: readonly string[]): string {
  let at = program;
  const path = [program.name()];
  for (const word of argv) {
    const next = at.commands.find((command) => command.name() === word);
    if (next === undefined) continue;
    at = next;
    path.push(word);
  }
  // Commander's own, which has no other way in.
  const { _defaultCommandName: meant } = at as Command & { readonly _defaultCommandName?: string | null };
  if (meant != null && at !== program) path.push(meant);
  return path.join(" ");
}
