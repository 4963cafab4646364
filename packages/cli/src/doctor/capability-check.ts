import type { Catalog } from "@basil/catalog";
import type { Capabilities } from "@basil/core";
import type { BackendKinds } from "../backend-kinds.js";
import type { AgentSettings } from "../config/agent-settings.js";
import { counted } from "../counted.js";
import { type Check, fatal, ok, skipped, warn } from "./check.js";

const NAME = "capability";

/** Whether what the catalog requires is within what its backends provide, under the configured capability policy. */
export async function checkCapability({ config, kinds }: AgentSettings, catalog: Catalog | undefined): Promise<Check> {
  if (catalog === undefined) return skipped(NAME, "the catalog is not loaded");
  const mode = config["capability-policy"];
  const { checkCapabilities, renderCapabilityGap } = await import("@basil/core");
  const report = checkCapabilities({ catalog, provided: await installedCapabilities(catalog, await kinds()), mode });
  if (mode === "off") return ok(NAME, "capability-policy is off: nothing is checked");
  const counts = `${counted(report.enforced, "backend")} checked, ${report.skippedUndeclared} without a declaration, ${counted(report.warnings, "gap")} tolerated`;
  if (report.gaps.length === 0) return ok(NAME, counts);
  const detail = report.gaps.map((gap) => renderCapabilityGap(gap)).join("; ");
  const remedy = [...new Set(report.gaps.flatMap(({ needs }) => needs.map((need) => need.remedy)))].join("; ");
  return report.ok ? warn(NAME, `${counts}: ${detail}`, remedy) : fatal(NAME, detail, remedy);
}

/** What the installed kinds of the catalog can do; a kind that is not here is feature_compatibility's to tell. */
export async function installedCapabilities(catalog: Catalog, known: BackendKinds): Promise<Map<string, Capabilities>> {
  const kinds = new Set([...catalog.backends.values()].map(({ kind }) => kind));
  const installed = [...kinds].filter((kind) => known.gap(kind) === undefined);
  return new Map(
    await Promise.all(installed.map(async (kind) => [kind, (await known.load(kind)).capabilities] as const)),
  );
}
