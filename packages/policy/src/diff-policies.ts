import { type Catalog, compareNames } from "@basil/catalog";
import { describeSubject, describeUid } from "./describe-principal.js";
import { type EffectiveGrant, effectiveGrants } from "./explain.js";
import { knownUids, resolveUid } from "./known-callers.js";
import { isAdminOperation, type Operation } from "./operations.js";
import type { Policy } from "./policy.js";
import { TargetSet } from "./target-set.js";

/** What changes in authority between two policies over one catalog. Empty lists everywhere: nothing does. */
export interface PolicyDifference {
  /** Subjects whose expression or `breakGlass` is not what it was; null stands for a subject that is not there. */
  readonly subjects: readonly {
    readonly subject: string;
    readonly before: string | null;
    readonly after: string | null;
  }[];
  /** Uids the documents mention that are not who they were: a subject, or the reason they are nobody. */
  readonly callers: readonly {
    readonly caller: string;
    readonly uid: number;
    readonly before: string;
    readonly after: string;
  }[];
  /** What subjects may do now and could not before. */
  readonly gained: readonly SubjectGrant[];
  /** What subjects could do before and may not now. */
  readonly lost: readonly SubjectGrant[];
  /** Authority over keys to come: targets, other than names of the catalog, that the other policy does not include. */
  readonly latent: { readonly gained: readonly LatentGrant[]; readonly lost: readonly LatentGrant[] };
  /** Where the groups of callers come from, when that changes and a subject asks for a group. */
  readonly groups?: { readonly before: "memberships" | "kernel"; readonly after: "memberships" | "kernel" };
  /** The unauthenticated subject, when it changes. */
  readonly unauthenticated?: { readonly before: string | null; readonly after: string | null };
}

export interface SubjectGrant extends EffectiveGrant {
  readonly subject: string;
}

export interface LatentGrant {
  readonly subject: string;
  readonly op: Operation;
  readonly target: string;
}

/** Compares what two policies allow, not how they say it: renamed or reordered rules are no difference. */
export function diffPolicies(before: Policy, after: Policy, catalog: Catalog): PolicyDifference {
  const names = [...new Set([...before.subjects.keys(), ...after.subjects.keys()])].sort(compareNames);
  const gained: SubjectGrant[] = [];
  const lost: SubjectGrant[] = [];
  for (const subject of names) {
    const old = grantsOf(before, catalog, subject);
    const now = grantsOf(after, catalog, subject);
    for (const [at, grant] of now) if (!old.has(at)) gained.push({ subject, ...grant });
    for (const [at, grant] of old) if (!now.has(at)) lost.push({ subject, ...grant });
  }
  const unauthenticated = {
    before: before.unauthenticatedSubject ?? null,
    after: after.unauthenticatedSubject ?? null,
  };
  return {
    subjects: names.flatMap((subject) => changedSubject(subject, before, after)),
    callers: knownUids(before, after).flatMap((uid) => changedCaller(uid, before, after)),
    gained,
    lost,
    latent: latentChanges(before, after, catalog),
    ...changedGroups(before, after),
    ...(unauthenticated.before === unauthenticated.after ? {} : { unauthenticated }),
  };
}

function grantsOf(policy: Policy, catalog: Catalog, subject: string): Map<string, EffectiveGrant> {
  const { effective } = effectiveGrants(policy, catalog, subject);
  return new Map(effective.map((grant) => [`${grant.op} ${grant.key}`, grant]));
}

function changedSubject(subject: string, before: Policy, after: Policy): PolicyDifference["subjects"] {
  const describe = (policy: Policy) => {
    const found = policy.subjects.get(subject);
    return found === undefined ? null : `${found.breakGlass ? "break-glass, " : ""}${describeSubject(policy, found)}`;
  };
  const was = before.subjects.get(subject);
  const is = after.subjects.get(subject);
  if (JSON.stringify(was) === JSON.stringify(is)) return [];
  return [{ subject, before: describe(before), after: describe(after) }];
}

function changedCaller(uid: number, before: Policy, after: Policy): PolicyDifference["callers"] {
  const who = (policy: Policy) => {
    const resolution = resolveUid(policy, uid);
    return resolution.resolved ? resolution.subject : resolution.code;
  };
  const [was, is] = [who(before), who(after)];
  return was === is ? [] : [{ caller: describeUid(after, uid), uid, before: was, after: is }];
}

/** The source of groups is a difference only to a policy that asks for a group. */
function changedGroups(before: Policy, after: Policy): Pick<PolicyDifference, "groups"> {
  const source = ({ config }: Policy) => (config.memberships === undefined ? "kernel" : "memberships");
  const groups = { before: source(before), after: source(after) } as const;
  const asks = [before, after].some(({ subjects }) =>
    [...subjects.values()].some(({ principals }) =>
      principals.some((principal) => principal.kind === "unix" && principal.gid !== undefined),
    ),
  );
  return asks && groups.before !== groups.after ? { groups } : {};
}

function latentChanges(before: Policy, after: Policy, catalog: Catalog): PolicyDifference["latent"] {
  const old = latentTargets(before, catalog);
  const now = latentTargets(after, catalog);
  return { gained: beyond(now, old), lost: beyond(old, now) };
}

interface LatentTargets {
  readonly subject: string;
  readonly op: Operation;
  readonly targets: TargetSet;
}

/** What each subject may do on names the catalog may have one day: every target but those that are a key's name. */
function latentTargets(policy: Policy, catalog: Catalog): Map<string, LatentTargets> {
  const latent = new Map<string, LatentTargets>();
  for (const { subjects, operations, targets } of policy.rules) {
    const open = targets.filter(({ covers, name }) => covers !== "exact" || !catalog.keys.has(name));
    for (const subject of open.length === 0 ? [] : subjects) {
      for (const op of operations.keys()) {
        // Administration is never asked on a key.
        if (isAdminOperation(op)) continue;
        const at = JSON.stringify([subject, op]);
        const grants = latent.get(at) ?? { subject, op, targets: new TargetSet() };
        latent.set(at, grants);
        for (const target of open) grants.targets.add(target);
      }
    }
  }
  return latent;
}

function beyond(from: ReadonlyMap<string, LatentTargets>, other: ReadonlyMap<string, LatentTargets>): LatentGrant[] {
  return [...from].flatMap(([at, { subject, op, targets }]) =>
    [...targets]
      .filter((target) => other.get(at)?.targets.includes(target) !== true)
      .map(({ spelling }) => ({ subject, op, target: spelling })),
  );
}
