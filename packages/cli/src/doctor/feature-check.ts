import type { Catalog } from "@basil/catalog";
import { kindGap } from "../backend-kinds.js";
import type { AgentConfig } from "../config/agent-config.js";
import { unbuiltFeatures } from "../config/unbuilt-features.js";
import { type Check, fatal, ok, skipped } from "./check.js";

const NAME = "feature_compatibility";

/** Whether this installation has what the configuration and the catalog ask for; every gap is listed. */
export function checkFeatures(config: AgentConfig, catalog: Catalog | undefined): Check {
  const kinds = [...new Set([...(catalog?.backends.values() ?? [])].map(({ kind }) => kind))];
  const gaps = kinds.flatMap((kind) => kindGap(kind) ?? []);
  const unbuilt = unbuiltFeatures(config);
  if (gaps.length === 0 && unbuilt.length === 0) {
    if (catalog === undefined) return skipped(NAME, "the catalog is not loaded, so its backend kinds are not known");
    return ok(NAME, kinds.length === 0 ? "no backend is declared" : `backend kinds installed: ${kinds.join(", ")}`);
  }
  const remedies = new Set(gaps.map(({ remedy }) => remedy));
  if (unbuilt.length > 0) remedies.add("take the named keys out of the configuration");
  return fatal(NAME, [...gaps.map(({ detail }) => detail), ...unbuilt].join("; "), [...remedies].join("; "));
}
