import { randomUUID } from "node:crypto";
import type { Catalog } from "@basil/catalog";
import { type Backend, checkCapabilities, reconcile, renderCapabilityGap, renderReconcileReport } from "@basil/core";
import type { BrokerOptions, StartReport } from "./broker.js";
import { BrokerError } from "./errors.js";

/** Everything that must hold before anything is served; the keys are made last, when all else is known to hold. */
export async function startUp(options: BrokerOptions): Promise<StartReport> {
  const { catalog, backends, capabilityMode: mode = "strict" } = options;
  requireBackends(catalog, backends);
  const provided = new Map(backends.map(({ kind, capabilities }) => [kind, capabilities]));
  const capabilities = checkCapabilities({ catalog, provided, mode });
  if (!capabilities.ok) {
    const gaps = capabilities.gaps.filter(({ fatal }) => fatal).map(renderCapabilityGap);
    throw new BrokerError(
      "CAPABILITY_GAPS",
      `the catalog demands what its backends do not offer:\n${gaps.join("\n")}`,
      {
        gaps,
      },
    );
  }
  if (options.reconcile === false) return { capabilities };
  const report = await reconcile({
    catalog,
    backends: new Map(backends.map((backend) => [backend.id, backend])),
    context: { signal: options.signal ?? new AbortController().signal, requestId: `start:${randomUUID()}` },
    ...(options.onReconcile && { onProgress: options.onReconcile }),
  });
  if (report.ok) return { capabilities, reconcile: report };
  const lines = renderReconcileReport(report);
  throw new BrokerError("RECONCILE_FAILED", `the keys are not as the catalog says:\n${lines.join("\n")}`, { report });
}

function requireBackends(catalog: Catalog, backends: readonly Backend[]): void {
  const seen = new Set<string>();
  for (const { id, kind } of backends) {
    const entry = catalog.backends.get(id);
    if (entry === undefined) throw mismatch(id, "is not in the catalog");
    if (entry.kind !== kind) throw mismatch(id, `is of kind "${kind}", the catalog says "${entry.kind}"`);
    if (seen.has(id)) throw mismatch(id, "is given twice");
    seen.add(id);
  }
  for (const id of catalog.backends.keys()) if (!seen.has(id)) throw mismatch(id, "is not open");
}

function mismatch(backend: string, what: string): BrokerError<"BACKEND_MISMATCH"> {
  return new BrokerError("BACKEND_MISMATCH", `backend "${backend}" ${what}`, { backend });
}
