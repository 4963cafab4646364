export type CheckStatus = "ok" | "warn" | "fatal";

/** One row of doctor's table. */
export interface Check {
  /** A stable id, such as `catalog_policy`. */
  readonly name: string;
  readonly status: CheckStatus;
  readonly detail: string;
  /** What to do; empty for `ok`. */
  readonly remediation: string;
}

export function ok(name: string, detail: string): Check {
  return { name, status: "ok", detail, remediation: "" };
}

export function warn(name: string, detail: string, remediation: string): Check {
  return { name, status: "warn", detail, remediation };
}

export function fatal(name: string, detail: string, remediation: string): Check {
  return { name, status: "fatal", detail, remediation };
}

/** A check that could not be made because an earlier one failed. */
export function skipped(name: string, because: string): Check {
  return warn(name, `skipped: ${because}`, "correct the row this one depends on, then run doctor again");
}
