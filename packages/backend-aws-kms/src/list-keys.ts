import { type BackendError, type CallContext, isBackendError, type KeyRef } from "@basil/core";
import type { KmsCalls } from "./client.js";
import { type DescribedKey, describeKey } from "./describe-key.js";
import type { GuardedCalls } from "./guarded-calls.js";
import { keyReference } from "./key-ref.js";
import { lastOfEachKey } from "./known-versions.js";
import { denialOf } from "./live-findings.js";
import { openClient, openKeyring } from "./open-keyring.js";
import type { AwsKmsOptions } from "./options.js";
import { regionOfArn, whyUnusable } from "./probe.js";
import { keyIdOf } from "./provisioning.js";
import { versionReference } from "./version-alias.js";

/** What AWS KMS holds for one key of a catalog. */
export interface KmsKeyListing {
  readonly key: string;
  readonly path: string;
  /** `unusable`: it is there and cannot serve, `reason` says why. `denied`: DescribeKey is, `reason` is AWS's text. */
  readonly outcome: "present" | "absent" | "unusable" | "denied";
  readonly reason?: string;
  /** Oldest first; the one that the path leads to is `current`. */
  readonly versions: readonly KmsVersionListing[];
  /** Versions that are there and that this identity may not describe; after three in a row no further ones are looked for. */
  readonly hidden: readonly number[];
}

export interface KmsVersionListing {
  /** Absent for a key that the path leads to and that is none of its versions. */
  readonly version?: number;
  readonly current: boolean;
  readonly arn: string;
  /** As KMS has them: `Enabled`, `Disabled`, `PendingDeletion`, …; `ECC_NIST_P256`, …; `SIGN_VERIFY`, …. */
  readonly keyState?: string;
  readonly keySpec?: string;
  readonly keyUsage?: string;
  readonly createdAt?: Date;
  /** Of a key that waits for its deletion. */
  readonly deletedAt?: Date;
  /** Sorted. Where ListAliases is denied, only those that were asked for. */
  readonly aliases: readonly string[];
}

export interface KmsListing {
  /** Whether `aliases` are all there are. */
  readonly allAliases: boolean;
  readonly keys: readonly KmsKeyListing[];
}

export interface KmsListOptions {
  /** False: ListAliases is not called, and `aliases` are those that were asked for. */
  readonly allAliases?: boolean;
}

const MOST_VERSIONS = 1000;
/** Old versions that a policy no longer lists are passed over, as many as an operation of the backend passes over. */
const MOST_DENIED = 3;
const PAGE = 100;

/**
 * What AWS KMS holds for these keys: versions, aliases, ARNs, states. Needs `kms:DescribeKey` on them; `kms:ListAliases`
 * (on `*`) for the aliases that nobody asked for. Changes nothing.
 *
 * @throws `BackendError` `UNAVAILABLE` when KMS does not answer or takes no credentials; `CANCELLED`;
 *   `UNSUPPORTED_ALGORITHM` for a type that KMS does not have. TypeError for an option that is out of range.
 */
export async function listAwsKmsKeys(
  options: AwsKmsOptions,
  keys: readonly KeyRef[],
  context: CallContext,
  listOptions: KmsListOptions = {},
): Promise<KmsListing> {
  return listKeysOver(openClient(options), options, keys, context, listOptions);
}

/** @internal */
export async function listKeysOver(
  client: KmsCalls,
  options: AwsKmsOptions,
  keys: readonly KeyRef[],
  context: CallContext,
  { allAliases = true }: KmsListOptions = {},
): Promise<KmsListing> {
  const { calls, region } = openKeyring(client, options.id ?? "aws-kms", options).on;
  const aliases = new AliasNames(calls, allAliases);
  try {
    const listed: KmsKeyListing[] = [];
    for (const key of keys) {
      const keyRegion = regionOfArn(key.path);
      const elsewhere = region !== undefined && keyRegion !== undefined && keyRegion !== region;
      const reason = `its ARN is of region ${keyRegion}, ${region} is asked`;
      const nothing = { key: key.name, path: key.path, outcome: "unusable", reason, ...NO_VERSIONS } as const;
      listed.push(elsewhere ? nothing : await listKey(calls, key, aliases, context));
    }
    return { allAliases: aliases.allowed, keys: listed };
  } finally {
    calls.close();
  }
}

const NO_VERSIONS: Pick<KmsKeyListing, "versions" | "hidden"> = { versions: [], hidden: [] };

async function listKey(
  calls: GuardedCalls,
  key: KeyRef,
  aliases: AliasNames,
  context: CallContext,
): Promise<KmsKeyListing> {
  const of = { key: key.name, path: key.path };
  const { keyId } = keyReference(key.path);
  const main = await describeOrDenied(calls, key, keyId, context);
  if (main === undefined) return { ...of, outcome: "absent", ...NO_VERSIONS };
  if (isBackendError(main)) return { ...of, outcome: "denied", reason: main.message, ...NO_VERSIONS };
  const { found, hidden } = await versionsOf(calls, key, context);
  const version = found.find(({ metadata }) => metadata.Arn === main.Arn)?.version;
  if (version === undefined) found.push({ ...(found.length === 0 && { version: 1 }), metadata: main, asked: [] });
  const versions: KmsVersionListing[] = [];
  for (const { version, metadata, asked } of found) {
    const current = metadata.Arn === main.Arn;
    const named = [...asked, ...(current && isAlias(keyId) ? [keyId] : [])];
    const { Arn: arn, KeyState, KeySpec, KeyUsage, CreationDate, DeletionDate } = metadata;
    versions.push({
      ...(version !== undefined && { version }),
      current,
      arn,
      ...(KeyState !== undefined && { keyState: KeyState }),
      ...(KeySpec !== undefined && { keySpec: KeySpec }),
      ...(KeyUsage !== undefined && { keyUsage: KeyUsage }),
      ...(CreationDate !== undefined && { createdAt: CreationDate }),
      ...(DeletionDate !== undefined && { deletedAt: DeletionDate }),
      aliases: [...new Set([...named, ...(await aliases.of(key, arn, context))])].sort(),
    });
  }
  const reason = whyUnusable(key, main);
  return {
    ...of,
    outcome: reason === undefined ? "present" : "unusable",
    ...(reason !== undefined && { reason }),
    versions,
    hidden,
  };
}

interface FoundVersion {
  readonly version?: number;
  readonly metadata: DescribedKey;
  readonly asked: readonly string[];
}

async function versionsOf(
  calls: GuardedCalls,
  key: KeyRef,
  context: CallContext,
): Promise<{ found: FoundVersion[]; hidden: number[] }> {
  const found: FoundVersion[] = [];
  const hidden: number[] = [];
  let denied = 0;
  for (let version = 1; version <= MOST_VERSIONS && denied < MOST_DENIED; version += 1) {
    const reference = versionReference(key.path, version);
    const metadata = reference === undefined ? undefined : await describeOrDenied(calls, key, reference, context);
    if (reference === undefined || metadata === undefined) break;
    denied = isBackendError(metadata) ? denied + 1 : 0;
    if (!isBackendError(metadata)) found.push({ version, metadata, asked: isAlias(reference) ? [reference] : [] });
    else if (denialOf(metadata.message) !== "no-such-key") hidden.push(version);
  }
  return { found: lastOfEachKey(found, ({ metadata }) => metadata.Arn), hidden };
}

function isAlias(reference: string): boolean {
  return reference.startsWith("alias/");
}

async function describeOrDenied(
  calls: GuardedCalls,
  key: KeyRef,
  keyId: string,
  context: CallContext,
): Promise<DescribedKey | BackendError<"ACCESS_DENIED"> | undefined> {
  try {
    return await describeKey(calls, key, keyId, context);
  } catch (error) {
    if (isBackendError(error) && error.code === "ACCESS_DENIED") return error;
    throw error;
  }
}

/** ListAliases of one key at a time; once it was denied it is not asked again. */
class AliasNames {
  readonly #calls: GuardedCalls;
  allowed: boolean;

  constructor(calls: GuardedCalls, allowed: boolean) {
    this.#calls = calls;
    this.allowed = allowed;
  }

  async of(key: KeyRef, arn: string, context: CallContext): Promise<readonly string[]> {
    const names: string[] = [];
    let marker: string | undefined;
    while (this.allowed) {
      try {
        const input = { KeyId: keyIdOf(arn), Limit: PAGE, ...(marker !== undefined && { Marker: marker }) };
        const { output } = await this.#calls.call("ListAliases", key, input, context);
        names.push(...(output.Aliases ?? []).flatMap(({ AliasName }) => AliasName ?? []));
        marker = output.NextMarker;
        if (output.Truncated !== true || marker === undefined) return names;
      } catch (error) {
        if (!isBackendError(error) || error.code !== "ACCESS_DENIED") throw error;
        this.allowed = false;
      }
    }
    return names;
  }
}
