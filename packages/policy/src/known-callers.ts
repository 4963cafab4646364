import type { Policy } from "./policy.js";
import { type Resolution, resolveSubject } from "./resolve-subject.js";

/**
 * The uids the documents mention, in principals, memberships and names, in ascending order: the callers that can be spoken
 * of without asking a host.
 */
export function knownUids(...policies: readonly Policy[]): number[] {
  const uids = new Set<number>();
  for (const { subjects, config } of policies) {
    for (const { principals } of subjects.values()) {
      for (const principal of principals) {
        if (principal.kind === "unix" && principal.uid !== undefined) uids.add(principal.uid);
      }
    }
    for (const uid of config.memberships?.keys() ?? []) uids.add(uid);
    for (const uid of config.users.keys()) uids.add(uid);
  }
  return [...uids].sort((a, b) => a - b);
}

/** Who a uid is to the policy, with the groups of the document and no others. */
export function resolveUid(policy: Policy, uid: number): Resolution {
  return resolveSubject(policy, { kind: "unix", uid, gid: null, groups: null, pid: null });
}
