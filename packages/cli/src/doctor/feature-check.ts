import type { Catalog } from "@basil/catalog";
import { CliError } from "../cli-error.js";
import type { AgentSettings } from "../config/agent-settings.js";
import { unbuiltFeatures } from "../config/unbuilt-features.js";
import { type Check, fatal, ok, skipped } from "./check.js";

const NAME = "feature_compatibility";

/** Whether this installation has what the configuration and the catalog ask for; every gap is listed. */
export async function checkFeatures(settings: AgentSettings, catalog: Catalog | undefined): Promise<Check> {
  const { config } = settings;
  const known = await settings.kinds().catch((error: unknown) => {
    if (!(error instanceof CliError)) throw error;
    return error;
  });
  if (known instanceof CliError) return fatal(NAME, known.message, known.remedy ?? "correct the package");
  const kinds = [...new Set([...(catalog?.backends.values() ?? [])].map(({ kind }) => kind))];
  const gaps = kinds.flatMap((kind) => known.gap(kind) ?? []);
  const withPackage = (kind: string): string => {
    const name = known.packageOf(kind);
    return name === undefined ? kind : `${kind} (${name})`;
  };
  const unbuilt = unbuiltFeatures(config);
  if (gaps.length === 0 && unbuilt.length === 0) {
    if (catalog === undefined) return skipped(NAME, "the catalog is not loaded, so its backend kinds are not known");
    return ok(
      NAME,
      kinds.length === 0 ? "no backend is declared" : `backend kinds installed: ${kinds.map(withPackage).join(", ")}`,
    );
  }
  const remedies = new Set(gaps.map(({ remedy }) => remedy));
  if (unbuilt.length > 0) remedies.add("take the named keys out of the configuration");
  return fatal(NAME, [...gaps.map(({ detail }) => detail), ...unbuilt].join("; "), [...remedies].join("; "));
}
