import { randomUUID } from "node:crypto";
import type { Catalog } from "@basil/catalog";
import {
  type Backend,
  checkCapabilities,
  type ReconcileRetry,
  reconcile,
  renderCapabilityGap,
  renderReconcileReport,
} from "@basil/core";
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
    onRetry: retryLog(options.logger),
  });
  if (report.ok) return { capabilities, reconcile: report };
  const lines = renderReconcileReport(report);
  throw new BrokerError("RECONCILE_FAILED", `the keys are not as the catalog says:\n${lines.join("\n")}`, { report });
}

/** A burst of throttled probes is logged once a backend and interval. */
const RETRY_LOG_EVERY_MS = 10_000;

/** Logs why a start waits, at the first failed probe and then at intervals. */
function retryLog(logger: BrokerOptions["logger"]): (retry: ReconcileRetry) => void {
  const logged = new Map<string, number>();
  return ({ key, backend, error }) => {
    const now = performance.now();
    if (now - (logged.get(backend) ?? Number.NEGATIVE_INFINITY) < RETRY_LOG_EVERY_MS) return;
    logged.set(backend, now);
    const remedy = error.code === "UNAVAILABLE" ? error.details.remedy : undefined;
    logger?.warn(
      { key, backend, ...(remedy !== undefined && { remedy }) },
      `retrying the probe of a key: ${error.message}`,
    );
  };
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
