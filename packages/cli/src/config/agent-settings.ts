import { resolve } from "node:path";
import type { Command } from "commander";
import type { BackendKinds } from "../backend-kinds.js";
import { CliError } from "../cli-error.js";
import type { CommandContext } from "../context.js";
import { nonEmpty } from "../option-values.js";
import { kindsOf } from "../plugins/plugin-kinds.js";
import { defaultSocketPath } from "../socket-path.js";
import type { AgentConfig } from "./agent-config.js";

/** The flags that override the configuration file. */
export interface SettingsOptions {
  readonly config?: string;
  readonly catalog?: string;
  readonly policy?: string;
  readonly bundle?: string;
  readonly socket?: string;
  readonly vaultAddr?: string;
  /** Backend packages besides those of the configuration. */
  readonly plugin?: readonly string[];
}

/** What agent, doctor and explain work from. Paths are absolute. */
export interface AgentSettings {
  readonly config: AgentConfig;
  readonly configPath?: string;
  readonly catalog?: string;
  readonly policy?: string;
  readonly bundle?: string;
  readonly socket: string;
  /** The environment variable that decided `socket` over the configuration file. */
  readonly socketVariable?: "BASIL_SOCKET";
  /**
   * The backend kinds there are, with those of plugins, which are loaded when this is first called.
   *
   * @throws {@link CliError} `PLUGIN_REFUSED`.
   */
  readonly kinds: () => Promise<BackendKinds>;
}

export function declareSettings(command: Command): void {
  command
    .option("-c, --config <file>", "the agent's TOML file (environment: BASIL_CONFIG)", nonEmpty)
    .option("--catalog <file>", "the catalog (environment: BASIL_CATALOG)", nonEmpty)
    .option("--policy <file>", "the policy (environment: BASIL_POLICY)", nonEmpty)
    .option("--bundle <file>", "the sealed bundle (environment: BASIL_BUNDLE)", nonEmpty)
    .option("--vault-addr <url>", "taken for compatibility; only a vault backend would dial it", nonEmpty);
}

/**
 * Flag, then environment, then configuration file, then built-in default.
 *
 * @throws {@link CliError} `FILE`, `DOCUMENT_REFUSED` for the configuration file.
 */
export async function resolveSettings(options: SettingsOptions, context: CommandContext): Promise<AgentSettings> {
  const { env, cwd } = context;
  const configPath = options.config ?? (env.BASIL_CONFIG || undefined);
  // zod and TOML are for those who have a configuration to read.
  const { loadAgentConfig } = await import("./load-agent-config.js");
  const config = await loadAgentConfig(configPath, cwd);
  const pick = (flag: string | undefined, variable: string | undefined, key: string | undefined) => {
    const value = flag ?? (variable || key);
    return value === undefined ? undefined : resolve(cwd, value);
  };
  const catalog = pick(options.catalog, env.BASIL_CATALOG, config.catalog);
  const policy = pick(options.policy, env.BASIL_POLICY, config.policy);
  const bundle = pick(options.bundle, env.BASIL_BUNDLE, config.bundle);
  return {
    config,
    ...(configPath !== undefined && { configPath: resolve(cwd, configPath) }),
    ...(catalog !== undefined && { catalog }),
    ...(policy !== undefined && { policy }),
    ...(bundle !== undefined && { bundle }),
    socket: pick(options.socket, env.BASIL_SOCKET, config.socket) ?? defaultSocketPath(env),
    ...(options.socket === undefined && env.BASIL_SOCKET && { socketVariable: "BASIL_SOCKET" as const }),
    kinds: kindsOf({ config, ...(configPath !== undefined && { configPath }), flags: options.plugin ?? [] }, context),
  };
}

/** The path of a document the agent cannot do without. @throws {@link CliError} `DOCUMENT_REFUSED`. */
export function requiredPath(settings: AgentSettings, name: "catalog" | "policy" | "bundle"): string {
  const path = settings[name];
  if (path !== undefined) return path;
  throw new CliError(
    "FAILED",
    `no ${name} is named`,
    { reason: `${name}_missing` },
    {
      remedy: `give --${name} FILE, set BASIL_${name.toUpperCase()}, or write ${name} = "FILE" in the configuration`,
    },
  );
}
