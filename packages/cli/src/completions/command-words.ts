import type { Command } from "commander";

/** One command as a completion script sees it. */
export interface CommandWords {
  /** The names that lead to it, e.g. `["bundle", "create"]`; none for the program itself. */
  readonly path: readonly string[];
  readonly summary: string;
  readonly subcommands: readonly { readonly name: string; readonly summary: string }[];
  readonly flags: readonly FlagWords[];
}

export interface FlagWords {
  /** With its dashes. */
  readonly long: string;
  readonly short?: string;
  readonly summary: string;
  readonly takesValue: boolean;
  /** The values it takes, when they are a list. */
  readonly choices: readonly string[];
}

/** The program and every command under it, parents first. */
export function commandWords(program: Command): CommandWords[] {
  return walk(program, []);
}

function walk(command: Command, path: readonly string[]): CommandWords[] {
  const help = command.createHelp();
  const visible = help.visibleCommands(command).filter((sub) => sub.name() !== "help");
  const words: CommandWords = {
    path,
    summary: command.description(),
    subcommands: visible.map((sub) => ({ name: sub.name(), summary: sub.description() })),
    flags: help.visibleOptions(command).flatMap((option) => {
      if (option.long == null) return [];
      const { long, short, description: summary } = option;
      const takesValue = option.required || option.optional;
      return [{ long, ...(short != null && { short }), summary, takesValue, choices: option.argChoices ?? [] }];
    }),
  };
  return [words, ...visible.flatMap((sub) => walk(sub, [...path, sub.name()]))];
}
