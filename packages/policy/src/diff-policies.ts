import { type Catalog, compareNames } from "@basil/catalog";
import { describeSubject, describeUid } from "./describe-principal.js";
import { type EffectiveGrant, effectiveGrants } from "./explain.js";
import { KeyCoverage } from "./key-coverage.js";
import { knownUids, resolveUid } from "./known-callers.js";
import { adminTarget, isAdminOperation, type Operation } from "./operations.js";
import type { Policy } from "./policy.js";
import { matchesTarget } from "./target.js";

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
  /** Grants on targets that cover no key of the catalog: authority over keys to come. */
  readonly latent: { readonly gained: readonly LatentGrant[]; readonly lost: readonly LatentGrant[] };
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

function latentChanges(before: Policy, after: Policy, catalog: Catalog): PolicyDifference["latent"] {
  const old = latentGrants(before, catalog);
  const now = latentGrants(after, catalog);
  const without = (from: ReadonlyMap<string, LatentGrant>, other: ReadonlyMap<string, LatentGrant>) =>
    [...from].filter(([at]) => !other.has(at)).map(([, grant]) => grant);
  return { gained: without(now, old), lost: without(old, now) };
}

function latentGrants(policy: Policy, catalog: Catalog): Map<string, LatentGrant> {
  const grants = new Map<string, LatentGrant>();
  const coverage = new KeyCoverage(catalog.keys.keys());
  for (const { subjects, operations, targets } of policy.rules) {
    for (const target of targets) {
      if (coverage.covered(target).length > 0) continue;
      for (const subject of subjects) {
        for (const op of operations.keys()) {
          if (isAdminOperation(op) && matchesTarget(target, adminTarget(op))) continue;
          grants.set(JSON.stringify([subject, op, target.spelling]), { subject, op, target: target.spelling });
        }
      }
    }
  }
  return grants;
}
