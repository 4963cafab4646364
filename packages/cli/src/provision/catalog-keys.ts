import type { Catalog, KeyEntry } from "@basil/catalog";
import { CliError } from "../cli-error.js";

/**
 * The keys of aws-kms backends, all or those named, in the order of the catalog.
 *
 * @throws {@link CliError} `USAGE` for a name that is none of them; `FAILED` when there is none.
 */
export function kmsKeys(catalog: Catalog, names: readonly string[] | undefined, flag: string): KeyEntry[] {
  const all = [...catalog.keys.values()].filter(({ backend }) => catalog.backends.get(backend)?.kind === "aws-kms");
  if (all.length === 0) {
    throw new CliError(
      "FAILED",
      "the catalog has no key on an aws-kms backend",
      {},
      { remedy: "name the catalog of the deployment with --catalog" },
    );
  }
  const unknown = names?.find((name) => !all.some((key) => key.name === name));
  if (unknown !== undefined) {
    throw new CliError(
      "USAGE",
      `${flag} is ${JSON.stringify(unknown)}, which is no key of an aws-kms backend`,
      { flag },
      { remedy: `keys: ${all.map(({ name }) => name).join(", ")}` },
    );
  }
  return names === undefined ? all : all.filter(({ name }) => names.includes(name));
}
