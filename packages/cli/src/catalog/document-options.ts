import type { Command } from "commander";
import type { SettingsOptions } from "../config/agent-settings.js";
import { nonEmpty } from "../option-values.js";
import { declarePlugins } from "../plugins/plugin-kinds.js";

/** Where a command finds the documents; `json` tells `run` that its answer is read by a program. */
export interface DocumentOptions extends SettingsOptions {
  readonly json?: boolean;
}

/** Declares the flags that name documents, and the configuration file that may name them instead. */
export function declareDocuments(command: Command, ...documents: readonly ("catalog" | "policy")[]): Command {
  for (const name of documents) {
    const variable = `BASIL_${name.toUpperCase()}`;
    command.option(`--${name} <file>`, `the ${name} (environment: ${variable})`, nonEmpty);
  }
  declarePlugins(command);
  return command.option("-c, --config <file>", "the agent's TOML file (environment: BASIL_CONFIG)", nonEmpty);
}
