import { Command, CommanderError } from "commander";
import {
  type CommandRuntime,
  declareGlobalOptions,
  examplesHelp,
  helpOption,
  type LazyGroup,
  type RegisteredCommand,
} from "./command.js";
import { version } from "./version.js";
import { declareWaiting } from "./waiting-commands.js";

/** The command tree for `argv`. Its modules are light; what a command needs is imported when it runs. */
export async function createProgram(
  commands: readonly (RegisteredCommand | LazyGroup)[],
  argv: readonly string[],
  runtime: CommandRuntime,
): Promise<Command> {
  const { terminal } = runtime.context;
  const program = new Command("basil")
    .description("A host-local key broker: workloads use keys over a unix socket and never hold them.")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.replace(/\n$/, "")),
      writeErr: (text) => terminal.err(text.replace(/\n$/, "")),
      // The message is written once, with the remedy, where every other failure is.
      outputError: () => {},
      getOutHasColors: () => terminal.colors.isColorSupported,
      getErrHasColors: () => terminal.errColors.isColorSupported,
    })
    // Narrower than that a column of descriptions is not wrapped but printed in one line each.
    .configureHelp({ styleTitle: (title) => terminal.colors.bold(title), minWidthToWrap: 24 })
    .addHelpOption(helpOption())
    // Each command declares the global flags itself, so that they stand before or after its name and
    // `decrypt --version N` stays apart from `--version`.
    .enablePositionalOptions()
    // Not `Command.version`, which wants the text, and so the manifest, before it is known to be asked for.
    .option("-V, --version", "print the version")
    .on("option:version", () => {
      terminal.out(`basil ${version()}`);
      throw new CommanderError(0, "commander.version", "the version was asked for");
    });
  // Commander gives the help before it looks whether there is such a command.
  program.on("beforeAllHelp", ({ command }: { readonly command: Command }) => requireKnownCommand(command));
  declareGlobalOptions(program);
  for (const entry of commands) {
    if ("load" in entry) {
      const group = program.command(entry.name).description(entry.summary);
      declareGlobalOptions(group);
      if (!argv.includes(entry.name)) continue;
      const { commands: members } = await entry.load();
      for (const command of members) command.register(group, runtime);
      group.addHelpText("after", examplesHelp(members.flatMap(({ examples }) => examples.slice(0, 1))));
    } else {
      entry.register(program, runtime);
    }
  }
  declareWaiting(program);
  return program;
}

/** @throws CommanderError `commander.unknownCommand`, with the name that was probably meant, as without `--help`. */
function requireKnownCommand(command: Command): void {
  const words = command.args[0] === "help" ? command.args.slice(1) : command.args;
  const [word] = words;
  if (command.commands.length === 0 || word === undefined || word.startsWith("-")) return;
  if (command.commands.some((known) => known.name() === word || known.aliases().includes(word))) return;
  command.args = words;
  // Commander's own, which has no other way in.
  (command as Command & { unknownCommand(): never }).unknownCommand();
}
