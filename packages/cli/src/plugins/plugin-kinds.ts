import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import { BackendKinds, PACKAGED_KINDS } from "../backend-kinds.js";
import type { AgentConfig } from "../config/agent-config.js";
import type { CommandContext } from "../context.js";
import { nonEmpty, repeated } from "../option-values.js";
import type { LoadedPlugin } from "./load-plugin.js";

/** Who names backend packages. */
export interface PluginSources {
  readonly config: Pick<AgentConfig, "plugin">;
  /** Absent when no configuration was read. */
  readonly configPath?: string;
  /** Of `--plugin`. */
  readonly flags: readonly string[];
}

/** Declares `--plugin`, which may be given several times. */
export function declarePlugins(command: Command): Command {
  return command.option(
    "--plugin <package>",
    "a backend package besides those of the configuration, found from its folder; may be repeated",
    repeated,
  );
}

/** The same, with the configuration that names more of them, for a command that reads nothing else of it. */
export function declarePluginsAndConfiguration(command: Command): Command {
  return declarePlugins(command).option(
    "-c, --config <file>",
    "the agent's TOML file, for its backend packages (environment: BASIL_CONFIG)",
    nonEmpty,
  );
}

/** The kinds for a command that needs them only for a type it does not know; flags are held to be right in any case. */
export async function kindsForCredentials(
  options: { readonly plugin?: readonly string[]; readonly config?: string },
  context: CommandContext,
): Promise<() => Promise<BackendKinds>> {
  const kinds = async () => {
    const { resolveSettings } = await import("../config/agent-settings.js");
    return (await resolveSettings(options, context)).kinds();
  };
  if (options.plugin === undefined && options.config === undefined) return kinds;
  const known = await kinds();
  return async () => known;
}

/** Loads the packages when it is first called, and once. */
export function kindsOf(sources: PluginSources, context: CommandContext): () => Promise<BackendKinds> {
  let loading: Promise<BackendKinds> | undefined;
  return () => {
    loading ??= loadKinds(sources, context);
    return loading;
  };
}

/**
 * Packages are found from the folder of the configuration. Only where none is named, which leaves `--plugin` alone, from
 * the working directory.
 *
 * @throws {@link CliError} `PLUGIN_REFUSED`.
 */
async function loadKinds(
  { config, configPath, flags }: PluginSources,
  { cwd, uid, othersCode }: CommandContext,
): Promise<BackendKinds> {
  const configured = config.plugin.map((plugin) => plugin.package);
  const names = [...configured, ...flags.filter((name) => !configured.includes(name))];
  if (names.length === 0) return new BackendKinds();
  const { loadBackendPackage, requireTrustedConfiguration } = await import("./load-plugin.js");
  const { refused } = await import("./plugin-package.js");
  const path = configPath === undefined ? undefined : resolve(cwd, configPath);
  if (path !== undefined && configured.length > 0) await requireTrustedConfiguration(path, configured, uid);
  const folder = path === undefined ? cwd : dirname(path);
  const taken = await takenKinds();
  const plugins = new Map<string, LoadedPlugin>();
  othersCode();
  for (const name of names) {
    const loaded = await loadBackendPackage(name, { folder, uid });
    const { kind } = loaded.plugin;
    const other = plugins.get(kind)?.package;
    if (other !== undefined) {
      throw refused(name, `its kind "${kind}" is that of the package ${other} too`, "name one of the two");
    }
    if (taken.has(kind)) throw refused(name, `its kind "${kind}" is one that Basil knows by itself`, "tell its author");
    plugins.set(kind, loaded);
  }
  return new BackendKinds(plugins);
}

/** Every kind and credential type with a meaning already: none of them can become a plugin's. */
async function takenKinds(): Promise<ReadonlySet<string>> {
  const { BUILT_IN_BACKEND_KINDS } = await import("@basil/catalog");
  const { CREDENTIAL_TYPES } = await import("../bundle/credential-types.js");
  const sealed = [...CREDENTIAL_TYPES.values()].flatMap((forms) => forms.map(({ kind }) => kind));
  return new Set([...BUILT_IN_BACKEND_KINDS, ...PACKAGED_KINDS, ...CREDENTIAL_TYPES.keys(), ...sealed]);
}
