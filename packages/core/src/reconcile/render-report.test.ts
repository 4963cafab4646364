import { describe, expect, it } from "vitest";
import { type AnyBackendError, BackendError } from "../errors.js";
import { renderReconciledKey, renderReconcileReport } from "./render-report.js";
import { type KeyOutcome, type ReconciledKey, reportOf } from "./report.js";

const identity = {
  key: "jwt.signer",
  backend: "kms",
  kind: "aws-kms",
  path: "alias/jwt",
  missing: "error",
  retries: 0,
} as const;
const keyOf = (outcome: KeyOutcome): ReconciledKey => ({ ...identity, ...outcome });
const denied = new BackendError("ACCESS_DENIED", "AWS said no", { action: "kms:DescribeKey", resource: "arn:k" });
const throttled = new BackendError("UNAVAILABLE", "was throttled", {});
const unsupported = new BackendError("UNSUPPORTED", "no kv2 here", { operation: "probe" });
const failed = (error: BackendError): KeyOutcome => ({ outcome: "probe-failed", error: error as AnyBackendError });

describe("renderReconciledKey", () => {
  it.each<[KeyOutcome, readonly string[]]>([
    [{ outcome: "present", latestVersion: 2, resource: "arn:k" }, ["present as arn:k, version 2"]],
    [{ outcome: "generated", latestVersion: 1, resource: "arn:k" }, ["generated as arn:k"]],
    [{ outcome: "warned" }, ["absent at alias/jwt", '"warn"']],
    [{ outcome: "missing" }, ["absent at alias/jwt", '"error"', "create it there", '"generate"']],
    [{ outcome: "pending" }, ["absent at alias/jwt", "nothing has been made"]],
    [
      { outcome: "unusable", reason: "its KeyState is Disabled", resource: "arn:k" },
      ["as arn:k", "KeyState is Disabled"],
    ],
    [{ outcome: "unusable", reason: "no" }, ["there, and cannot be used: no"]],
    [failed(denied), ["ACCESS_DENIED", "AWS said no", "allow kms:DescribeKey on arn:k to the identity"]],
    [failed(new BackendError("ACCESS_DENIED", "no", { action: "kms:X" })), ["allow kms:X to the identity"]],
    [failed(throttled), ["UNAVAILABLE", "was throttled", "start again"]],
    [failed(unsupported), ["no kv2 here", "move the key"]],
    [failed(new BackendError("REJECTED", "odd", {})), ["REJECTED: odd"]],
    [{ outcome: "generate-refused", error: unsupported as AnyBackendError }, ["may not be generated", "no kv2 here"]],
    [{ outcome: "generate-failed", error: throttled as AnyBackendError }, ["not generated: UNAVAILABLE"]],
    [
      { outcome: "generate-failed", error: throttled as AnyBackendError, resource: "arn:new" },
      ["not generated, though it was made as arn:new"],
    ],
  ])("tells %o", (outcome, parts) => {
    const line = renderReconciledKey(keyOf(outcome));
    expect(line.startsWith('key "jwt.signer" on backend "kms" (aws-kms): ')).toBe(true);
    for (const part of parts) expect(line).toContain(part);
    expect(line).not.toContain("\n");
    expect(line).not.toContain("undefined");
  });
});

describe("renderReconcileReport", () => {
  it("begins with the counts, then the failures, then what is worth telling, and leaves out what is simply there", () => {
    const present = keyOf({ outcome: "present", latestVersion: 1, resource: "arn:k" });
    const keys = [present, keyOf({ outcome: "warned" }), keyOf({ outcome: "missing" }), keyOf({ outcome: "pending" })];
    const lines = renderReconcileReport(reportOf(keys, false));
    expect(lines[0]).toBe(
      "reconcile failed: 4 keys, 1 present, 0 generated, 1 absent and tolerated, 1 to generate, 1 failed",
    );
    expect(lines.slice(1).map((line) => line.split(": ")[1]?.slice(0, 45))).toEqual([
      'absent at alias/jwt, and missing is "error"; ',
      'absent at alias/jwt; missing is "warn", so op',
      'absent at alias/jwt; missing is "generate", a',
    ]);
  });

  it("is one line when every key is there", () => {
    const present = keyOf({ outcome: "present", latestVersion: 1, resource: "arn:k" });
    expect(renderReconcileReport(reportOf([present], false))).toHaveLength(1);
  });
});
