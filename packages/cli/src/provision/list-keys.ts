import type { KmsKeyListing } from "@basil/backend-aws-kms";
import type { KeyEntry } from "@basil/catalog";
import type { DocumentOptions } from "../catalog/document-options.js";
import { resolveSettings } from "../config/agent-settings.js";
import type { CommandContext } from "../context.js";
import { loadCatalog } from "../documents.js";
import { readFailure } from "./backend-failure.js";
import { kmsKeys } from "./catalog-keys.js";
import type { KmsFlags } from "./kms-flags.js";
import { kmsOptions } from "./kms-options.js";

/** What `basil keys` prints. Members stay; more may come. */
export interface KeysReport {
  /** Whether `aliases` are all there are: not where kms:ListAliases is denied. */
  readonly all_aliases: boolean;
  readonly keys: readonly ListedKey[];
}

interface ListedKey {
  readonly key: string;
  readonly backend: string;
  readonly key_type: string;
  readonly path: string;
  readonly outcome: KmsKeyListing["outcome"];
  /** Why it cannot serve. */
  readonly reason?: string;
  readonly versions: readonly ListedVersion[];
}

interface ListedVersion {
  /** Null for a key that the path leads to and that is none of its versions. */
  readonly version: number | null;
  readonly current: boolean;
  readonly arn: string;
  readonly state: string;
  readonly key_spec: string;
  readonly key_usage: string;
  readonly created_at?: string;
  readonly deleted_at?: string;
  readonly aliases: readonly string[];
}

interface Asked extends DocumentOptions, KmsFlags {
  readonly keyId?: readonly string[];
}

/** @throws {@link CliError} `USAGE`, `FILE`, `DOCUMENT_REFUSED`; `UNAVAILABLE` when KMS does not answer. */
export async function listKeys(options: Asked, context: CommandContext): Promise<KeysReport> {
  const settings = await resolveSettings(options, context);
  const catalog = await loadCatalog(settings, context.cwd);
  const entries = kmsKeys(catalog, options.keyId, "--key-id");
  const { isBackendError, keyRef } = await import("@basil/core");
  const call = { signal: context.signal, requestId: `keys:${context.pid}` };
  const found = new Map<string, KmsKeyListing>();
  let allAliases = true;
  for (const id of new Set(entries.map(({ backend }) => backend))) {
    const kms = await kmsOptions(id, options, { settings, catalog }, context);
    const { listAwsKmsKeys } = await import("@basil/backend-aws-kms");
    const refs = entries.filter(({ backend }) => backend === id).map(keyRef);
    const listing = await listAwsKmsKeys(kms, refs, call).catch((error: unknown) => {
      if (!isBackendError(error)) throw error;
      const again = "check region, credentials and the network path, then run it again";
      throw readFailure(error, { again, otherwise: again });
    });
    allAliases &&= listing.allAliases;
    for (const key of listing.keys) found.set(key.key, key);
  }
  return { all_aliases: allAliases, keys: entries.flatMap((entry) => listed(entry, found.get(entry.name))) };
}

function listed(entry: KeyEntry, found: KmsKeyListing | undefined): ListedKey[] {
  if (found === undefined) return [];
  const { key, path, outcome, reason, versions } = found;
  const named = { key, backend: entry.backend, key_type: entry.keyType ?? "", path, outcome };
  return [
    {
      ...named,
      ...(reason !== undefined && { reason }),
      versions: versions.map(
        ({ version, current, arn, keyState, keySpec, keyUsage, createdAt, deletedAt, aliases }) => ({
          version: version ?? null,
          current,
          arn,
          state: keyState ?? "",
          key_spec: keySpec ?? "",
          key_usage: keyUsage ?? "",
          ...(createdAt !== undefined && { created_at: createdAt.toISOString() }),
          ...(deletedAt !== undefined && { deleted_at: deletedAt.toISOString() }),
          aliases,
        }),
      ),
    },
  ];
}
