/** What is known of the key behind one path. */
export interface KnownVersions {
  /** The ARN the path led to when it was last looked at; absent when it led nowhere. */
  readonly currentArn?: string;
  /** The version that ARN is. */
  readonly current: number;
  /** ARNs by version; without `/vN` aliases only version 1, the key itself. */
  readonly arns: ReadonlyMap<number, string>;
  /** True once a `/vN` alias was found. */
  readonly rotated: boolean;
}

export function versionOf({ arns }: KnownVersions, arn: string): number | undefined {
  return [...arns].find(([, known]) => known === arn)?.[0];
}

export function knownFrom(
  arns: ReadonlyMap<number, string>,
  arn: string | undefined,
  before: KnownVersions | undefined,
): KnownVersions {
  if (arns.size === 0) return unrotated(arn);
  const found = { current: before?.current ?? Math.max(...arns.keys()), arns, rotated: true };
  if (arn === undefined) return found;
  return { ...found, currentArn: arn, current: versionOf(found, arn) ?? found.current };
}

/**
 * Versions count from `/v1` on without a gap, so before a key is deleted, which takes its aliases along, its version
 * alias is moved to a later version's key. A key then counts as the last of the versions that lead to it.
 */
export function lastOfEachKey<T>(versions: readonly T[], arnOf: (version: T) => string | undefined): T[] {
  const last = new Map(versions.map((version) => [arnOf(version), version]));
  return versions.filter((version) => last.get(arnOf(version)) === version);
}

export function unrotated(arn: string | undefined): KnownVersions {
  if (arn === undefined) return { current: 1, arns: new Map(), rotated: false };
  return { currentArn: arn, current: 1, arns: new Map([[1, arn]]), rotated: false };
}

/** Whether signatures of `version` still count while `current` is in use. */
export function isWithinGrace(version: number, current: number, graceVersions: number): boolean {
  return version <= current && version >= current - graceVersions;
}
