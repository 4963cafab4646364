import type { Identity, UnixIdentity } from "./identity.js";
import type { Policy, Principal, Subject } from "./policy.js";

/** Who a caller is to the policy, or why it is nobody. */
export type Resolution =
  | {
      readonly resolved: true;
      readonly subject: string;
      readonly proof: `unix_peercred:${string}` | `unauthenticated:${string}`;
    }
  | {
      readonly resolved: false;
      readonly code: SubjectRefusalCode;
      /** For the audit log: `no_actor_subject`, `no_actor_subject:<uid>`, `ambiguous_actor_subject:<uid>`, `invalid_unauthenticated_subject:<name>`. */
      readonly reason: string;
      /** The subjects that match, when there are too many. */
      readonly candidates: readonly string[];
    };

/** `missing_credentials` is a caller that cannot be known; the others are known and are nobody. */
export type SubjectRefusalCode =
  | "missing_credentials"
  | "no_subject"
  | "ambiguous_subject"
  | "invalid_unauthenticated_subject";

/**
 * The one subject whose expression matches the caller. None, or more than one, is a refusal: nothing is guessed, and a known
 * uid never falls back to the unauthenticated subject.
 */
export function resolveSubject(policy: Policy, identity: Identity): Resolution {
  if (identity.kind === "unauthenticated") return resolveUnauthenticated(policy);
  const groups = groupsOf(policy, identity);
  const candidates: string[] = [];
  for (const subject of policy.subjects.values()) {
    if (matchesUnix(subject, identity.uid, groups)) candidates.push(subject.name);
  }
  const [subject] = candidates;
  if (subject === undefined) return refuse("no_subject", `no_actor_subject:${identity.uid}`);
  if (candidates.length > 1) return refuse("ambiguous_subject", `ambiguous_actor_subject:${identity.uid}`, candidates);
  return { resolved: true, subject, proof: `unix_peercred:${subject}` };
}

function resolveUnauthenticated(policy: Policy): Resolution {
  const name = policy.unauthenticatedSubject;
  if (name === undefined) return refuse("missing_credentials", "no_actor_subject");
  const subject = policy.subjects.get(name);
  const isUnauthenticated = ({ kind }: Principal) => kind === "unauthenticated";
  if (subject === undefined || !matches(subject, isUnauthenticated)) {
    return refuse("invalid_unauthenticated_subject", `invalid_unauthenticated_subject:${name}`);
  }
  return { resolved: true, subject: name, proof: `unauthenticated:${name}` };
}

/**
 * The groups that count for a caller: those `config.memberships` gives its uid; the kernel's only in a document that has no
 * `memberships` at all.
 */
export function groupsOf(policy: Policy, identity: UnixIdentity): ReadonlySet<number> {
  const { memberships } = policy.config;
  if (memberships !== undefined) return new Set(memberships.get(identity.uid));
  const groups = new Set(identity.groups);
  if (identity.gid !== null) groups.add(identity.gid);
  return groups;
}

function matchesUnix(subject: Subject, uid: number, groups: ReadonlySet<number>): boolean {
  return matches(subject, (principal) => {
    if (principal.kind !== "unix") return false;
    if (principal.uid !== undefined && principal.uid !== uid) return false;
    return principal.gid === undefined || groups.has(principal.gid);
  });
}

function matches(subject: Subject, holds: (principal: Principal) => boolean): boolean {
  return subject.match === "allOf" ? subject.principals.every(holds) : subject.principals.some(holds);
}

function refuse(code: SubjectRefusalCode, reason: string, candidates: readonly string[] = []): Resolution {
  return { resolved: false, code, reason, candidates };
}
