import { type Command, Option } from "commander";
import { CliError } from "./cli-error.js";
import type { CommandContext } from "./context.js";
import { nonEmpty } from "./option-values.js";
import { quote } from "./shell-quote.js";
import type { Terminal } from "./terminal.js";

/** Flags every command takes, before or after its name. */
export interface GlobalOptions {
  readonly socket?: string;
  readonly debug?: boolean;
}

/** What was typed, after commander checked it against `declare`. */
export interface Invocation<Options> {
  readonly options: Options & GlobalOptions;
  readonly operands: readonly string[];
}

/** One command: options in, report out; rendering and exit code apart. */
export interface CommandDefinition<Options, Report> {
  readonly name: string;
  /** One line, lower case, no full stop. */
  readonly summary: string;
  /** Whole command lines, shown at the end of `--help`. */
  readonly examples: readonly string[];
  /** The flag that a word too many was most likely meant for, e.g. `--catalog`. */
  readonly strayOperand?: `-${string}`;
  /** Of its group: meant when no other command of the group is named. */
  readonly isDefault?: boolean;
  /** Declares flags and operands. `--json` is added for every command. */
  declare?(command: Command): void;
  run(invocation: Invocation<Options>, context: CommandContext): Promise<Report>;
  /** Writes the report for people. */
  render(report: Report, terminal: Terminal): void;
  /** What `--json` prints; the report itself when it is left out, nothing when it is undefined: `run` has printed it. */
  json?(report: Report): unknown;
  /** `line` (the default) is one line with keys in alphabetical order, `document` is indented in the order of the report. */
  readonly jsonStyle?: "line" | "document";
  /** 0 when it is left out. */
  exitCode?(report: Report): number;
}

/** A group of commands, such as `basil bundle …`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly RegisteredCommand[];
}

/** A group whose modules are imported only when the command line names it. */
export interface LazyGroup {
  readonly name: string;
  readonly summary: string;
  load(): Promise<CommandGroup>;
}

/** A definition whose types are closed over, so that unlike commands share a list. */
export interface RegisteredCommand {
  readonly name: string;
  readonly examples: readonly string[];
  register(parent: Command, runtime: CommandRuntime): void;
}

/** What `main` lends to a command that runs. */
export interface CommandRuntime {
  readonly context: CommandContext;
  /** Told once, when the command has finished. */
  finished(exitCode: number): void;
}

export function defineCommand<Options, Report>(definition: CommandDefinition<Options, Report>): RegisteredCommand {
  return {
    name: definition.name,
    examples: definition.examples,
    register(parent, runtime) {
      const command = parent
        .command(definition.name, { isDefault: definition.isDefault ?? false })
        .description(definition.summary);
      definition.declare?.(command);
      if (definition.strayOperand !== undefined) nameFlagOfStrayOperand(command, definition.strayOperand);
      command.option("--json", "print the result as JSON");
      declareGlobalOptions(command);
      command.addHelpText("after", examplesHelp(definition.examples)).action(async () => {
        const options = optionsOf<Options & GlobalOptions & { json?: boolean }>(command);
        const report = await definition.run({ options, operands: command.args }, runtime.context);
        const { terminal } = runtime.context;
        if (options.json) {
          const value = definition.json === undefined ? report : definition.json(report);
          if (value !== undefined) terminal.out(toJson(value, definition.jsonStyle ?? "line"));
        } else definition.render(report, terminal);
        runtime.finished(definition.exitCode?.(report) ?? 0);
      });
    },
  };
}

/** `basil catalog check FILE`: what to do is not in the help, but which flag takes the word. */
function nameFlagOfStrayOperand(command: Command, flag: string): void {
  command.exitOverride((error) => {
    if (error.code !== "commander.excessArguments") throw error;
    const stray = command.args[command.registeredArguments.length] ?? "";
    const remedy = `if it is meant for ${flag}, give it as ${flag} ${quote(stray)}`;
    throw new CliError("USAGE", error.message.replace(/^error: /, ""), { flag }, { remedy });
  });
}

/** The end of a help text. @param examples - Whole command lines. */
export function examplesHelp(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((line) => `  $ ${line}`).join("\n")}`;
}

const GLOBAL = "Global options:";

/** `--help` of every command, among the flags that all of them take. */
export function helpOption(): Option {
  return new Option("-h, --help", "display help for command").helpGroup(GLOBAL);
}

export function declareGlobalOptions(command: Command): void {
  command
    .addOption(
      new Option("--socket <path>", "the broker's socket (environment: BASIL_SOCKET)")
        .argParser(nonEmpty)
        .helpGroup(GLOBAL),
    )
    .addOption(new Option("--debug", "print the stack and the causes of a failure").helpGroup(GLOBAL));
}

/** The flags of a command and of the groups around it; the innermost wins. */
function optionsOf<T>(command: Command): T {
  const chain: Command[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) chain.unshift(at);
  return Object.assign({}, ...chain.map((at) => at.opts())) as T;
}

/** The text `--json` prints for a value. */
export function toJson(value: unknown, style: "line" | "document"): string {
  return style === "document" ? JSON.stringify(value, null, 2) : JSON.stringify(sortKeys(value));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sortKeys(member)]),
  );
}
