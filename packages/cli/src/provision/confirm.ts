import { CliError } from "../cli-error.js";
import type { CommandContext } from "../context.js";

/**
 * Asks a person, and takes anything but `y` or `yes` for no.
 *
 * @throws {@link CliError} `USAGE` when nobody is there to ask; `FAILED` for no; `DEADLINE` at Ctrl-C.
 */
export async function confirm(question: string, unchanged: string, context: CommandContext): Promise<void> {
  const { stdin, signal, terminal } = context;
  if (stdin.isTTY !== true) {
    throw new CliError(
      "USAGE",
      `nobody is there to confirm; ${unchanged}`,
      { flag: "--yes" },
      { remedy: "read the plan above, then run it again with --yes" },
    );
  }
  using _ = terminal.asking();
  const { createInterface } = await import("node:readline/promises");
  const prompt = createInterface({ input: stdin as unknown as NodeJS.ReadableStream });
  let answer: string;
  try {
    terminal.err(`${question} [y/N]`);
    // A terminal in line mode ends the input with Ctrl-D: that is no, and no promise settles by itself.
    answer = await Promise.race([
      prompt.question("", { signal }),
      new Promise<string>((resolve) => void prompt.once("close", () => resolve(""))),
    ]);
  } catch (cause) {
    throw new CliError("DEADLINE", `interrupted; ${unchanged}`, {}, { cause, remedy: "run it again" });
  } finally {
    prompt.close();
  }
  if (!/^y(es)?$/i.test(answer.trim())) {
    throw new CliError("FAILED", `not confirmed; ${unchanged}`, {}, { remedy: "run it again, and answer y" });
  }
}
