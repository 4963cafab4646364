import type { ReconcileReport } from "@basil/core";
import { CliError } from "../cli-error.js";
import { counted } from "../counted.js";
import type { Terminal } from "../terminal.js";

/**
 * Nothing is created when something cannot be.
 *
 * @throws {@link CliError} `DOCUMENT_REFUSED` with a line a key; `UNAVAILABLE` when KMS did not answer.
 */
export async function requireCreatable(plan: ReconcileReport): Promise<void> {
  const { isBackendError, renderReconciledKey } = await import("@basil/core");
  const { creatableAlias } = await import("@basil/backend-aws-kms");
  const failed = plan.keys.filter(
    ({ outcome }) => outcome === "unusable" || outcome === "probe-failed" || outcome === "generate-refused",
  );
  const problems = failed.map(renderReconciledKey);
  for (const key of plan.keys) {
    if (key.outcome !== "pending") continue;
    try {
      creatableAlias(key.path);
    } catch (error) {
      if (!isBackendError(error)) throw error;
      problems.push(`key "${key.key}" on backend "${key.backend}" (${key.kind}): ${error.message}`);
    }
  }
  if (problems.length === 0) return;
  const silent = failed.flatMap((key) =>
    key.outcome === "probe-failed" && key.error.code === "UNAVAILABLE" ? [key.error.message] : [],
  );
  if (silent.length === problems.length) {
    const others = silent.length - 1;
    const likewise = others === 0 ? "" : `; and so for ${counted(others, "other key")}`;
    const message = `nothing was created: ${silent[0]}${likewise}`;
    throw new CliError("UNAVAILABLE", message, {}, { remedy: "correct what is named, or wait; then run it again" });
  }
  throw new CliError(
    "DOCUMENT_REFUSED",
    "nothing was created: some keys cannot be provisioned",
    { path: "", problems },
    { remedy: "correct what each line names; 'basil iam policy --identity provisioner' writes what the job needs" },
  );
}

/** The plan, on standard error: standard output is the report's. */
export async function writePlan({ keys, counts }: ReconcileReport, { err }: Terminal): Promise<void> {
  const { keyReference } = await import("@basil/backend-aws-kms");
  if (counts.present > 0) err(`${counted(counts.present, "key")} there already`);
  if (counts.pending === 0) return;
  err(`${counted(counts.pending, "key")} to create:`);
  for (const { outcome, key, keyType, path, backend } of keys) {
    if (outcome === "pending") err(`  ${key}  ${keyType}  ${keyReference(path).keyId}  on ${backend}`);
  }
}
