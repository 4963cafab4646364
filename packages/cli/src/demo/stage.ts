import { CliError } from "../cli-error.js";
import type { Narrator } from "./narrator.js";
import type { LineResult, ShellSession } from "./shell-session.js";

/** Where the demo's commands are typed: each is shown, run, answered, and held to the exit code it must have. */
export interface Stage {
  readonly narrator: Narrator;
  /** @throws {@link CliError} `FAILED` when the exit code is another than expected, 0 unless said otherwise. */
  type(line: string, expected?: number): Promise<LineResult>;
  /** The same with neither line nor answer shown, for what is not part of the story. */
  prepare(line: string): Promise<LineResult>;
  /** Everything that was shown so far. */
  readonly transcript: readonly LineResult[];
}

export function createStage(shell: ShellSession, narrator: Narrator): Stage {
  const transcript: LineResult[] = [];
  const run = async (line: string, expected: number): Promise<LineResult> => {
    const result = await shell.type(line);
    if (result.exitCode === expected) return result;
    const said = [result.stdout, result.stderr].join("").trim();
    throw new CliError(
      "FAILED",
      `exit code ${result.exitCode}, ${expected} was expected, of: ${line}${said === "" ? "" : `\n${said}`}`,
      {},
      {
        remedy: "run it again with --keep --debug and type the line by hand",
      },
    );
  };
  return {
    narrator,
    transcript,
    async type(line, expected = 0) {
      narrator.command(line);
      const result = await run(line, expected);
      narrator.answer(result);
      transcript.push(result);
      return result;
    },
    prepare: (line) => run(line, 0),
  };
}

/** Fails the demo when what it shows is not so. */
export function demand(condition: boolean, what: string): asserts condition {
  if (!condition)
    throw new CliError("FAILED", `the demo expected that ${what}`, {}, { remedy: "run it again with --keep and look" });
}
