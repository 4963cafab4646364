import { Writable } from "node:stream";
import { commands } from "../../packages/cli/src/commands.js";
import { commandWords } from "../../packages/cli/src/completions/command-words.js";
import type { CommandContext } from "../../packages/cli/src/context.js";
import { createProgram } from "../../packages/cli/src/program.js";
import { createTerminal } from "../../packages/cli/src/terminal.js";

/** Every command that can be run, by its names, e.g. `bundle create`. */
export async function commandTree(): Promise<string[]> {
  const nowhere = Object.assign(new Writable(), { isTTY: false });
  const terminal = createTerminal({ stdout: nowhere, stderr: nowhere, env: {} } as never);
  // Named in full, so that the groups that load lazily are loaded, too.
  const names = commands.map(({ name }) => name);
  const runtime = { context: { terminal } as CommandContext, finished: () => {} };
  const words = commandWords(await createProgram(commands, names, runtime));
  return words.filter(({ subcommands }) => subcommands.length === 0).map(({ path }) => path.join(" "));
}
