import { readFile } from "node:fs/promises";
import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { moduleResolve } from "import-meta-resolve";
import { CliError } from "../cli-error.js";

/** A backend package that was found, and nothing of it run. */
export interface PluginPackage {
  /** As the operator named it. */
  readonly name: string;
  /** A `file:` URL, links resolved. */
  readonly entry: URL;
  /** Folders of the package and of everything it depends on, links resolved. */
  readonly folders: readonly string[];
}

/** `name` or `@scope/name`, and an export of it behind a slash (https://docs.npmjs.com/cli/configuring-npm/package-json#name). */
const PACKAGE = /^((?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*)(?:\/[^\s]+)?$/;
const CONDITIONS = new Set(["node", "import"]);

/**
 * Finds a package as `import` does in a module of `folder`: in `node_modules` there and above, exports conditions included.
 *
 * @throws {@link CliError} `PLUGIN_REFUSED` for what is no package name and for one that is not there or has no such export.
 */
export async function findPluginPackage(name: string, folder: string): Promise<PluginPackage> {
  const [, packageName] = PACKAGE.exec(name) ?? [];
  if (packageName === undefined) {
    throw refused(
      name,
      `${JSON.stringify(name)} is no package name`,
      "name an installed package, such as @acme/basil-backend",
    );
  }
  // Neither file need be there: both only say from where.
  const parent = join(folder, "agent.toml");
  const manifest = findManifest(packageName, parent);
  if (manifest === undefined) {
    const remedy = `install it there: npm install --prefix ${folder} ${packageName}`;
    throw refused(name, `it is not installed in ${folder} or a folder above`, remedy);
  }
  let entry: URL;
  try {
    entry = moduleResolve(name, pathToFileURL(parent), CONDITIONS);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw refused(name, `it has no such export: ${why}`, "correct the exports of its package.json", cause);
  }
  if (entry.protocol !== "file:") throw refused(name, `it is ${entry.href}`, "name an installed package");
  return { name, entry, folders: await foldersOf(manifest, fileURLToPath(entry)) };
}

export function refused(name: string, problem: string, remedy: string, cause?: unknown): CliError<"PLUGIN_REFUSED"> {
  const options = { remedy, ...(cause !== undefined && { cause }) };
  return new CliError(
    "PLUGIN_REFUSED",
    `the backend package ${name} is refused: ${problem}`,
    { package: name },
    options,
  );
}

/**
 * The folder of the package, that of its entry where it is elsewhere, of a package or not, and those of all its
 * dependencies that are there.
 */
async function foldersOf(manifest: string, entry: string): Promise<string[]> {
  const own = findPackageJSON(pathToFileURL(entry).href);
  const waiting = [manifest, ...(own === undefined ? [] : [own])];
  const found = new Set<string>();
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (found.has(at)) continue;
    found.add(at);
    for (const dependency of await dependenciesOf(at)) {
      const next = findManifest(dependency, at);
      if (next !== undefined && !found.has(next)) waiting.push(next);
    }
  }
  return [...[...found].map((file) => dirname(file)), ...(own === undefined ? [dirname(entry)] : [])];
}

async function dependenciesOf(manifest: string): Promise<string[]> {
  try {
    const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(await readFile(manifest, "utf8")) as {
      readonly [field: string]: Readonly<Record<string, string>> | undefined;
    };
    return Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
  } catch {
    return [];
  }
}

function findManifest(packageName: string, parent: string): string | undefined {
  try {
    return findPackageJSON(packageName, pathToFileURL(parent).href);
  } catch {
    return undefined;
  }
}
