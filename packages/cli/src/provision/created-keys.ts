import type { ReconciledKey, ReconcileReport } from "@basil/core";

/** What `basil provision` prints, for programs that build infrastructure. Members stay; more may come. */
export interface ProvisionReport {
  /** How many keys this run created. */
  readonly created: number;
  readonly keys: readonly ProvisionedKey[];
}

export interface ProvisionedKey {
  readonly key: string;
  readonly backend: string;
  readonly key_type: string;
  readonly path: string;
  readonly outcome: "present" | "created" | "planned" | "failed";
  /** Of the KMS key; absent while there is none. */
  readonly arn?: string;
  readonly version?: number;
  /** Why it failed, for a person. */
  readonly error?: string;
}

export function createdKeys({ keys, dryRun, counts }: ReconcileReport): ProvisionReport {
  return { created: counts.generated, keys: keys.map((key) => provisioned(key, dryRun)) };
}

function provisioned(reconciled: ReconciledKey, dryRun: boolean): ProvisionedKey {
  const { key, backend, keyType = "", path } = reconciled;
  const named = { key, backend, key_type: keyType, path };
  switch (reconciled.outcome) {
    case "present":
    case "generated": {
      const { resource: arn, latestVersion: version } = reconciled;
      return { ...named, outcome: reconciled.outcome === "present" ? "present" : "created", arn, version };
    }
    case "pending":
      return dryRun
        ? { ...named, outcome: "planned" }
        : { ...named, outcome: "failed", error: "not reached; run it again" };
    case "missing":
    case "warned":
      return { ...named, outcome: "planned" };
    case "unusable":
      return { ...named, outcome: "failed", error: reconciled.reason, ...arnOf(reconciled.resource) };
    case "probe-failed":
    case "generate-refused":
      return { ...named, outcome: "failed", error: reconciled.error.message };
    case "generate-failed":
      return { ...named, outcome: "failed", error: reconciled.error.message, ...arnOf(reconciled.resource) };
  }
}

function arnOf(arn: string | undefined): { arn?: string } {
  return arn === undefined ? {} : { arn };
}
