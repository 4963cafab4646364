import { type BackendPlugin, type Capabilities, within } from "@basil/core";
import { CliError } from "../cli-error.js";
import { findPluginPackage, refused } from "./plugin-package.js";
import { type Distrust, TrustedFiles } from "./trusted-files.js";

/** The name a backend package exports its plugin under. */
export const PLUGIN_EXPORT = "plugin";
/** How long a package may take to load. */
const LOAD_MS = 10_000;

export interface LoadPluginOptions {
  /** The folder of the configuration: where `node_modules` is looked for first. */
  readonly folder: string;
  /** Of this user. */
  readonly uid: number;
}

/** A package's plugin, as it was when it was loaded. */
export interface LoadedPlugin {
  readonly package: string;
  readonly plugin: BackendPlugin;
}

/**
 * Finds, judges and loads a backend package. From here on its code runs in this process.
 *
 * @throws {@link CliError} `PLUGIN_REFUSED`: not there, not ours or root's alone to write, fails or hangs at load, or exports
 *   no plugin.
 */
export async function loadBackendPackage(name: string, { folder, uid }: LoadPluginOptions): Promise<LoadedPlugin> {
  const { entry, folders } = await findPluginPackage(name, folder);
  const trusted = new TrustedFiles(uid);
  for (const each of folders) {
    const distrust = await trusted.distrustOfTree(each);
    if (distrust !== undefined) throw distrusted(name, distrust);
  }
  const { [PLUGIN_EXPORT]: exported, ...others } = await load(name, entry);
  if (exported === undefined) {
    const names = Object.keys(others).join(", ") || "nothing";
    throw refused(
      name,
      `it has no export named ${PLUGIN_EXPORT}; it exports ${names}`,
      "name a package that is a Basil backend",
    );
  }
  const { pluginProblems } = await import("@basil/core");
  const problems = pluginProblems(exported);
  if (problems.length > 0) {
    const remedy = "tell its author; @basil/core has pluginProblems to check it by";
    throw refused(name, `its export ${PLUGIN_EXPORT} is no backend plugin: ${problems.join("; ")}`, remedy);
  }
  const plugin = exported as BackendPlugin;
  const { kind, credentialSchema } = plugin;
  const capabilities = copied(name, plugin.capabilities);
  // What was checked is what is used, whatever the object says later.
  return { package: name, plugin: { kind, credentialSchema, capabilities, open: (...call) => plugin.open(...call) } };
}

/** @throws {@link CliError} `PLUGIN_REFUSED` when somebody else could change the file that names packages to run. */
export async function requireTrustedConfiguration(path: string, names: readonly string[], uid: number): Promise<void> {
  const distrust = await new TrustedFiles(uid).distrustOf(path);
  if (distrust === undefined) return;
  const { problem, remedy } = distrust;
  const message = `the configuration ${path} names a backend package, and others could change it: ${problem}`;
  throw new CliError("PLUGIN_REFUSED", message, { package: names.join(", "), path: distrust.path }, { remedy });
}

function distrusted(name: string, { path, problem, remedy }: Distrust): CliError<"PLUGIN_REFUSED"> {
  const message = `the backend package ${name} is refused, for others could change what it runs: ${problem}`;
  return new CliError("PLUGIN_REFUSED", message, { package: name, path }, { remedy });
}

function copied(name: string, capabilities: Capabilities): Capabilities {
  try {
    return structuredClone(capabilities);
  } catch (cause) {
    throw refused(name, "its capabilities are no plain data", "tell its author", cause);
  }
}

async function load(name: string, entry: URL): Promise<Readonly<Record<string, unknown>>> {
  const late = refused(name, `it has not loaded in ${LOAD_MS / 1000} s`, "tell its author");
  const importing = () => import(entry.href) as Promise<Readonly<Record<string, unknown>>>;
  try {
    return await within(LOAD_MS, undefined, importing, { late: () => late });
  } catch (error) {
    if (error === late) throw late;
    throw refused(name, `it fails when it is loaded, with ${told(error)}`, "tell its author", error);
  }
}

function told(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : typeof error;
  } catch {
    return "a value that cannot be read";
  }
}
