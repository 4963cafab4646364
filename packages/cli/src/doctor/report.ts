import { counted } from "../counted.js";
import type { Terminal } from "../terminal.js";
import type { Check, CheckStatus } from "./check.js";

/** What `basil doctor --json` prints: schema version 2. Texts may change, names and statuses do not. */
export interface DoctorReport {
  readonly schema_version: 2;
  readonly checks: readonly Check[];
  readonly summary: {
    readonly total: number;
    readonly ok: number;
    readonly warn: number;
    readonly fatal: number;
    /** At least one row is fatal: the agent would not start. */
    readonly blocking: boolean;
  };
}

export function doctorReport(checks: readonly Check[]): DoctorReport {
  const count = (status: CheckStatus): number => checks.filter((check) => check.status === status).length;
  return {
    schema_version: 2,
    checks,
    summary: {
      total: checks.length,
      ok: count("ok"),
      warn: count("warn"),
      fatal: count("fatal"),
      blocking: count("fatal") > 0,
    },
  };
}

const LABELS = { ok: "[OK   ]", warn: "[WARN ]", fatal: "[FATAL]" } as const satisfies Record<CheckStatus, string>;

export function renderDoctorReport({ checks, summary }: DoctorReport, { out, colors }: Terminal): void {
  const paint = { ok: colors.green, warn: colors.yellow, fatal: colors.red };
  out(`basil doctor: ${counted(summary.total, "check")}`);
  for (const { name, status, detail, remediation } of checks) {
    out(`${paint[status](LABELS[status])} ${name}: ${detail}`);
    if (remediation !== "") out(`        → ${remediation}`);
  }
  out(`summary: ${summary.ok} ok, ${summary.warn} warn, ${summary.fatal} fatal`);
  out(`result: ${summary.blocking ? "BLOCKING" : summary.warn > 0 ? "OK with advisories" : "OK"}`);
}
