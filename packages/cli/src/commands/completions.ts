import { Argument } from "commander";
import { defineCommand, type GlobalOptions } from "../command.js";
import { SHELLS, type Shell } from "../completions/scripts.js";

export const completions = defineCommand<GlobalOptions, { readonly shell: Shell; readonly script: string }>({
  name: "completions",
  summary: "print the script that completes basil in a shell",
  examples: [
    "basil completions bash > ~/.local/share/bash-completion/completions/basil",
    "basil completions fish | source",
  ],
  declare(command) {
    command.addArgument(new Argument("<shell>", "which shell").choices(SHELLS));
  },
  async run({ operands }, context) {
    const shell = operands[0] as Shell;
    const [{ createProgram }, { commands }, { commandWords }, { completionScript }] = await Promise.all([
      import("../program.js"),
      import("../commands.js"),
      import("../completions/command-words.js"),
      import("../completions/scripts.js"),
    ]);
    // Named in full, so that the groups that load lazily are loaded, too.
    const names = commands.map(({ name }) => name);
    const program = await createProgram(commands, names, { context, finished: () => {} });
    return { shell, script: completionScript(shell, commandWords(program)) };
  },
  render({ script }, { out }) {
    out(script.trimEnd());
  },
});
