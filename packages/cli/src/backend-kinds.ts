import { findPackageJSON } from "node:module";
import type { BackendPlugin } from "@basil/core";
import { CliError } from "./cli-error.js";
import type { LoadedPlugin } from "./plugins/load-plugin.js";

interface BackendKind {
  readonly package: string;
  /** The specifier is written out, so that a bundler and a reader both see it. */
  readonly load: () => Promise<BackendPlugin>;
}

/** The kinds this program knows a package for. Each is optional and loaded only when something names it. */
const KINDS: ReadonlyMap<string, BackendKind> = new Map([
  [
    "aws-kms",
    {
      package: "@basil/backend-aws-kms",
      load: async () => (await import("@basil/backend-aws-kms")).awsKmsPlugin,
    },
  ],
]);

/** The kinds this program has a package for. */
export const PACKAGED_KINDS: readonly string[] = [...KINDS.keys()];

/** What the operator types to get a missing package. */
export function installCommand(packageName: string): string {
  return `npm install ${packageName}`;
}

/** The package.json of a package that can be loaded from here; nothing of it is run. */
export function packageManifest(packageName: string): string | undefined {
  try {
    return findPackageJSON(packageName, import.meta.url);
  } catch {
    return undefined;
  }
}

export function isInstalled(packageName: string): boolean {
  return packageManifest(packageName) !== undefined;
}

/** What a kind needs and does not have; undefined when it is complete. */
export interface KindGap {
  readonly kind: string;
  readonly package?: string;
  readonly detail: string;
  readonly remedy: string;
}

export function kindGap(kind: string): KindGap | undefined {
  const known = KINDS.get(kind);
  if (known === undefined) {
    return {
      kind,
      detail: `backend kind "${kind}" has no package for this program`,
      remedy: `name its package as [[plugin]] in the configuration, or take the backend out of the catalog; kinds with a package here: ${PACKAGED_KINDS.join(", ")}`,
    };
  }
  if (isInstalled(known.package)) return undefined;
  return {
    kind,
    package: known.package,
    detail: `backend kind "${kind}" needs the package ${known.package}, which is not installed`,
    remedy: `install it: ${installCommand(known.package)}`,
  };
}

/** @throws {@link CliError} `PACKAGE_MISSING`, or `UNSUPPORTED` for a kind without a package. */
export async function loadPlugin(kind: string): Promise<BackendPlugin> {
  const gap = kindGap(kind);
  if (gap?.package !== undefined) {
    throw new CliError("PACKAGE_MISSING", gap.detail, { package: gap.package }, { remedy: gap.remedy });
  }
  const known = KINDS.get(kind);
  if (gap !== undefined || known === undefined) {
    throw new CliError("UNSUPPORTED", gap?.detail ?? kind, { feature: kind }, { remedy: gap?.remedy ?? "" });
  }
  return known.load();
}

/** The kinds there are for one configuration: this program's own, and those of its plugins. */
export class BackendKinds {
  readonly #plugins: ReadonlyMap<string, LoadedPlugin>;

  /** @param plugins - By kind; none of them a kind of this program's. */
  constructor(plugins: ReadonlyMap<string, LoadedPlugin> = new Map()) {
    this.#plugins = plugins;
  }

  /** The kinds of plugins, for whoever reads a catalog. */
  get pluginKinds(): readonly string[] {
    return [...this.#plugins.keys()];
  }

  /** The package a plugin's kind came from. */
  packageOf(kind: string): string | undefined {
    return this.#plugins.get(kind)?.package;
  }

  /** What the kind needs and does not have. */
  gap(kind: string): KindGap | undefined {
    return this.#plugins.has(kind) ? undefined : kindGap(kind);
  }

  /** @throws {@link CliError} as {@link loadPlugin}. */
  async load(kind: string): Promise<BackendPlugin> {
    return this.#plugins.get(kind)?.plugin ?? loadPlugin(kind);
  }
}
