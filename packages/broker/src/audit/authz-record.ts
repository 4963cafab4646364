import type { Identity, Policy, Resolution } from "@basil/policy";
import type { AuditRecord } from "./audit-sink.js";
import { recordedName } from "./recorded-name.js";

export interface AuthzFacts {
  readonly op: string;
  /** As {@link recordedName} makes it. */
  readonly target: string;
  readonly resolution: Resolution;
  readonly identity: Identity;
  readonly policy: Policy;
  readonly generation: number;
  /** `subject:NAME`, `public_class`, or the reason of the refusal. */
  readonly reason: string;
  readonly allowed: boolean;
  /** `ok`, or the code of the failure the caller saw. */
  readonly result: string;
  readonly requestId: string;
  readonly latencyUs: number;
  readonly at: Date;
  readonly keyVersion?: number | undefined;
  readonly resource?: string | undefined;
  readonly expectedResource?: string | undefined;
  readonly backendRequestId?: string | undefined;
}

/**
 * `basil.audit.authz`, version 3: who asked for what, what was decided and why, and what came of it. What is not known
 * is null. `outcome` repeats `decision`, as version 2 has it; `result` says whether the operation succeeded.
 */
export function authzRecord(facts: AuthzFacts): AuditRecord {
  const { identity, resolution, policy } = facts;
  const decision = facts.allowed ? "allow" : "deny";
  const unix = identity.kind === "unix" ? identity : undefined;
  return {
    actor_id: resolution.resolved ? recordedName(resolution.subject) : "unresolved",
    actor_kind: "subject",
    authenticated_by: resolution.resolved ? [recordedName(resolution.proof)] : [],
    backend_request_id: facts.backendRequestId ?? null,
    decision,
    event_kind: "basil.audit.authz",
    event_version: 3,
    generation: facts.generation,
    key_version: facts.keyVersion ?? null,
    latency_us: facts.latencyUs,
    occurred_at: seconds(facts.at),
    op: facts.op,
    outcome: decision,
    presenter_exe: unix?.exe == null ? null : recordedName(unix.exe),
    presenter_gid: unix?.gid ?? null,
    presenter_id: presenter(identity, resolution, policy),
    presenter_kind: unix ? "unix_peercred" : "none",
    presenter_pid: unix?.pid ?? null,
    presenter_start_time: unix?.startTime ?? null,
    presenter_uid: unix?.uid ?? null,
    reason: recordedName(facts.reason),
    request_id: facts.requestId,
    resource: facts.resource ?? null,
    resource_expected: facts.expectedResource ?? null,
    result: facts.result,
    target_id: facts.target,
    target_kind: "catalog_key",
  };
}

/** `2026-01-31T23:59:59Z`. */
export function seconds(at: Date): string {
  return `${at.toISOString().slice(0, 19)}Z`;
}

function presenter(identity: Identity, resolution: Resolution, policy: Policy): string {
  if (identity.kind !== "unix") return "unknown";
  const { uid, exe } = identity;
  if (!resolution.resolved) return exe == null ? `uid:${uid}` : recordedName(exe);
  const user = policy.config.users.get(uid);
  return user === undefined ? `${uid}` : `${recordedName(user)}(${uid})`;
}
