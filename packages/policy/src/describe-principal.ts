import type { Policy, Principal, Subject } from "./policy.js";

/** `name(uid)` when the document names the uid, else the number. */
export function describeUid(policy: Policy, uid: number): string {
  const name = policy.config.users.get(uid);
  return name === undefined ? String(uid) : `${name}(${uid})`;
}

/** A subject's expression in one line: `uid 7001 and gid 400`, `any of: uid 1; uid 2`. */
export function describeSubject(policy: Policy, subject: Subject): string {
  const parts = subject.principals.map((principal) => describePrincipal(policy, principal));
  if (parts.length === 1) return parts[0]!;
  return `${subject.match === "allOf" ? "all" : "any"} of: ${parts.join("; ")}`;
}

function describePrincipal(policy: Policy, principal: Principal): string {
  if (principal.kind === "unauthenticated") return "no peer credentials";
  if (principal.kind === "signature-key") return `${principal.algorithm} key ${principal.public}`;
  const parts: string[] = [];
  if (principal.uid !== undefined) parts.push(`uid ${describeUid(policy, principal.uid)}`);
  if (principal.gid !== undefined) {
    const name = policy.config.groups.get(principal.gid);
    parts.push(name === undefined ? `gid ${principal.gid}` : `gid ${name}(${principal.gid})`);
  }
  return parts.join(" and ");
}
