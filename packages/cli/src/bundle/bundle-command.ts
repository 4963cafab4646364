import { isBundleError } from "@basil/bundle";
import type { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type CommandDefinition, defineCommand, type RegisteredCommand } from "../command.js";
import { nonEmpty, repeated } from "../option-values.js";
import { toCliError } from "./bundle-failure.js";

/** Declares `BUNDLE`, the file every bundle command works on. */
export function declareBundle(command: Command): Command {
  return command.argument("<bundle>", "the sealed bundle", nonEmpty);
}

/** Declares `--open`, which may be given several times; every one of them is tried. */
export function declareOpen(command: Command, requirement: "required" | "optional"): Command {
  const text = "what opens the bundle, e.g. passphrase:file=FILE; may be repeated";
  return requirement === "required"
    ? command.requiredOption("--open <spec>", text, repeated)
    : command.option("--open <spec>", text, repeated);
}

export function declareAcceptRollback(command: Command): Command {
  return command.option("--accept-rollback", "take a bundle that is older than its .epoch file says");
}

/** A command whose {@link BundleError}s become failures an operator can act on. */
export function defineBundleCommand<Options, Report>(
  definition: CommandDefinition<Options, Report>,
): RegisteredCommand {
  return defineCommand<Options, Report>({
    ...definition,
    run: async (invocation, context) => {
      using _ = context.terminal.working("working on the bundle");
      try {
        return await definition.run(invocation, context);
      } catch (error) {
        if (context.signal.aborted)
          throw new CliError("DEADLINE", "interrupted before anything was written", {}, { cause: error });
        throw isBundleError(error) ? toCliError(error) : error;
      }
    },
  });
}
