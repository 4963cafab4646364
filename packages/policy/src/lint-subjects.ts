import { jsonPointer } from "@basil/catalog";
import { describeUid } from "./describe-principal.js";
import { knownUids, resolveUid } from "./known-callers.js";
import type { Tell } from "./lint-policy.js";
import type { Policy, Principal, Subject } from "./policy.js";
import { resolveSubject } from "./resolve-subject.js";

export function lintSubjects(policy: Policy, tell: Tell): void {
  lintAmbiguousUids(policy, tell);
  if (policy.config.memberships === undefined) lintOverlaps(policy, tell);
  const used = new Set(policy.rules.flatMap(({ subjects }) => subjects));
  const members = policy.config.memberships && new Set([...policy.config.memberships.values()].flat());
  for (const subject of policy.subjects.values()) {
    const pointer = jsonPointer("/subjects", subject.name);
    if (!used.has(subject.name) && subject.name !== policy.unauthenticatedSubject) {
      tell("UnusedSubject", pointer, "no rule names this subject");
    }
    const impossible = whyNever(subject);
    if (impossible !== undefined) tell("SubjectNeverMatches", pointer, impossible);
    for (const gid of gidsOf(subject)) {
      if (members === undefined || members.has(gid)) continue;
      tell("GroupWithoutMembers", pointer, `config.memberships gives gid ${gid} to no uid, so it never matches`);
    }
  }
  const name = policy.unauthenticatedSubject;
  if (name !== undefined && !resolveSubject(policy, { kind: "unauthenticated" }).resolved) {
    const problem = `the subject ${JSON.stringify(name)} does not match a caller without credentials`;
    tell("UnauthenticatedSubjectNeverMatches", "/unauthenticatedSubject", problem);
  }
}

function lintAmbiguousUids(policy: Policy, tell: Tell): void {
  for (const uid of knownUids(policy)) {
    const who = resolveUid(policy, uid);
    if (who.resolved || who.code !== "ambiguous_subject") continue;
    const names = who.candidates.map((name) => JSON.stringify(name)).join(" and ");
    const problem = `uid ${describeUid(policy, uid)} matches ${names}, so it is denied everything`;
    tell("AmbiguousSubjects", jsonPointer("/subjects", who.candidates.at(-1)!), problem);
  }
}

const MOST_OVERLAPS = 100;

/** Without memberships the host's groups count: a uid subject and a group subject, or two group subjects, may meet. */
function lintOverlaps(policy: Policy, tell: Tell): void {
  const grouped = [...policy.subjects.values()].filter((subject) => gidsOf(subject).length > 0);
  let told = 0;
  for (const subject of grouped) {
    for (const other of policy.subjects.values()) {
      const once = gidsOf(other).length === 0 || other.name < subject.name;
      if (other === subject || !once || !canMeet(subject, other)) continue;
      const problem = `a caller may match ${JSON.stringify(other.name)} as well, by the groups its host gives it, and is then denied everything`;
      tell("OverlappingSubjects", jsonPointer("/subjects", subject.name), problem);
      if (++told === MOST_OVERLAPS) return;
    }
  }
}

/** Any uid may be in any group, so two subjects can meet unless each needs another uid. */
function canMeet(a: Subject, b: Subject): boolean {
  const uids = uidsOf(b);
  return uidsOf(a).some((uid) => uids.some((other) => uid === "any" || other === "any" || uid === other));
}

type Uid = number | "any";

/** The uids that can match a subject; `any` for a part that names a group only. */
function uidsOf(subject: Subject): Uid[] {
  if (whyNever(subject) !== undefined) return [];
  const unix = subject.principals.filter((principal) => principal.kind === "unix");
  const uids = unix.map(({ uid }): Uid => uid ?? "any");
  if (subject.match === "anyOf") return uids;
  return [uids.find((uid) => uid !== "any") ?? "any"];
}

function gidsOf({ principals }: Subject): number[] {
  const gids = principals.flatMap((principal) => (principal.kind === "unix" ? [principal.gid ?? []].flat() : []));
  return [...new Set(gids)];
}

function whyNever({ match, principals }: Subject): string | undefined {
  if (match === "anyOf") return undefined;
  const kinds = new Set(principals.map(({ kind }: Principal) => kind));
  if (kinds.size > 1) return `no caller is ${[...kinds].join(" and ")} at once, so it never matches`;
  const uids = new Set(
    principals.flatMap((principal) => (principal.kind === "unix" ? [principal.uid ?? []].flat() : [])),
  );
  return uids.size > 1 ? `no caller has the uids ${[...uids].join(" and ")} at once, so it never matches` : undefined;
}
