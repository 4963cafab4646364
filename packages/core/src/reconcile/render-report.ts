import type { AnyBackendError } from "../errors.js";
import { isFailure, type ReconciledKey, type ReconcileReport } from "./report.js";

/**
 * The report as lines for the operator: a summary, then a line for each key that is not simply there, failures first.
 * A line names the key, its backend, what is wrong and what to do; it may name ARNs and is not for callers.
 */
export function renderReconcileReport(report: ReconcileReport): string[] {
  const telling = report.keys.filter(({ outcome }) => outcome !== "present");
  const failures = telling.filter(isFailure);
  const rest = telling.filter((key) => !isFailure(key));
  return [summary(report, failures.length), ...[...failures, ...rest].map((key) => renderReconciledKey(key))];
}

/** One key as one line. */
export function renderReconciledKey(key: ReconciledKey): string {
  return `key "${key.key}" on backend "${key.backend}" (${key.kind}): ${describe(key)}`;
}

function summary({ ok, dryRun, counts, keys }: ReconcileReport, failures: number): string {
  const { present, generated, warned, pending } = counts;
  const parts = [`${present} present`, `${generated} generated`, `${warned} absent and tolerated`];
  if (pending > 0) parts.push(`${pending} to generate`);
  parts.push(`${failures} failed`);
  const verdict = ok ? "ok" : "failed";
  return `${dryRun ? "check" : "reconcile"} ${verdict}: ${keys.length === 1 ? "1 key" : `${keys.length} keys`}, ${parts.join(", ")}`;
}

function describe(key: ReconciledKey): string {
  switch (key.outcome) {
    case "present":
      return `present as ${key.resource}, version ${key.latestVersion}`;
    case "generated":
      return `generated as ${key.resource}`;
    case "warned":
      return `absent at ${key.path}; missing is "warn", so operations on it fail until it is there`;
    case "missing":
      return `absent at ${key.path}, and missing is "error"; create it there, or correct path, or set missing to "generate" for one run with an identity that may create keys`;
    case "pending":
      return `absent at ${key.path}; missing is "generate", and nothing has been made`;
    case "unusable":
      return `there${key.resource === undefined ? "" : ` as ${key.resource}`}, and cannot be used: ${key.reason}; correct the key, or path or keyType in the catalog`;
    case "probe-failed":
      return `cannot be probed: ${key.error.code}: ${key.error.message}${remedy(key.error)}`;
    case "generate-refused":
      return `absent at ${key.path}, and may not be generated: ${key.error.message}`;
    case "generate-failed": {
      const made = key.resource === undefined ? "" : `, though it was made as ${key.resource}`;
      return `not generated${made}: ${key.error.code}: ${key.error.message}${remedy(key.error)}`;
    }
  }
}

function remedy(error: AnyBackendError): string {
  switch (error.code) {
    case "ACCESS_DENIED": {
      const { action, resource } = error.details;
      return `; allow ${action}${resource === undefined ? "" : ` on ${resource}`} to the identity the backend runs as`;
    }
    case "UNAVAILABLE":
      return `; ${error.details.remedy ?? "check that the backend is reachable and not throttled"}, then start again`;
    case "UNSUPPORTED":
    case "UNSUPPORTED_ALGORITHM":
      return "; move the key to a backend that offers it";
    default:
      return "";
  }
}
