import { octal, readBundleFile } from "./bundle-file.js";
import { readDeposits } from "./deposits/deposit-folder.js";
import { decodeDepositRecord } from "./deposits/deposit-record.js";
import { BundleError, isBundleError } from "./errors.js";
import { type BundleHost, localHost } from "./host.js";
import { readSidecar, sidecarPath } from "./sidecar.js";
import { decodeToken } from "./token.js";

/** What anybody who can read the file can tell. Checked for damage, not authenticated: only opening does that. */
export interface BundleSummary {
  readonly bundleId: string;
  readonly createdAt: string;
  readonly epoch: number;
  readonly sidecarEpoch?: number;
  readonly slots: readonly {
    readonly id: number;
    readonly method: string;
    readonly label: string;
    readonly createdAt: string;
    readonly parameters: Readonly<Record<string, string>>;
  }[];
  /** 43 characters base64url, when the bundle takes deposits. */
  readonly depositRecipient?: string;
  readonly contributors: readonly {
    readonly id: string;
    readonly publicKey: string;
    readonly backends: readonly string[];
  }[];
  /** The records beside the bundle that are well formed; what they are worth, only opening tells. */
  readonly deposits: readonly {
    readonly index: number;
    readonly file: string;
    readonly backend: string;
    readonly contributor: string;
    readonly epoch: number;
    readonly sequence: number;
  }[];
  readonly warnings: readonly string[];
}

export interface InspectBundleOptions {
  /** @internal */
  readonly host?: BundleHost;
}

/** Reads the clear part. What an open would refuse, such as an older copy, is a warning here. @throws {@link BundleError} As opening does before it unlocks. */
export async function inspectBundle(path: string, options: InspectBundleOptions = {}): Promise<BundleSummary> {
  const { host = localHost } = options;
  const warnings: string[] = [];
  const sidecarEpoch = await readSidecar(host.files, path).catch((error: unknown) => {
    if (!isBundleError(error)) throw error;
    warnings.push(error.message);
    return undefined;
  });
  const { container, looseMode } = await readBundleFile(host.files, path, { followLinks: true, uid: host.uid() });
  if (looseMode !== undefined) {
    warnings.push(`${path} has mode ${octal(looseMode)}: nobody but its owner should have access (0600 or 0400)`);
  }
  const records: BundleSummary["deposits"][number][] = [];
  for (const { index, file, bytes } of await readDeposits(host.files, path)) {
    try {
      const { backend, contributor, epoch, sequence } = decodeDepositRecord(bytes ?? new Uint8Array());
      records.push({ index, file, backend, contributor, epoch, sequence });
    } catch (error) {
      if (!isBundleError(error)) throw error;
      warnings.push(`${file} is no deposit record: ${error.message}`);
    }
  }
  const { bundleId, createdAt, epoch, slots, deposits } = container.clear;
  if (sidecarEpoch !== undefined && sidecarEpoch > epoch) {
    warnings.push(
      `${path} is of epoch ${epoch} and ${sidecarPath(path)} has seen epoch ${sidecarEpoch}: an older copy was restored`,
    );
  }
  return {
    bundleId,
    createdAt,
    epoch,
    ...(sidecarEpoch !== undefined && { sidecarEpoch }),
    slots: slots.map(({ id, method, label, createdAt: made, parameters }) => ({
      id,
      method,
      label,
      createdAt: made,
      parameters: Object.fromEntries(parameters),
    })),
    ...(deposits.recipient !== null && { depositRecipient: deposits.recipient }),
    contributors: deposits.contributors,
    deposits: records,
    warnings,
  };
}

/** The age file of a slot: 16 bytes bundle id, `u32` slot id and the 32-byte master key, for the `age` program to open. */
export async function exportSlot(
  path: string,
  slotId: number,
  options: InspectBundleOptions = {},
): Promise<Uint8Array> {
  const { host = localHost } = options;
  const { container } = await readBundleFile(host.files, path, { followLinks: true, uid: host.uid() });
  const slot = container.clear.slots.find(({ id }) => id === slotId);
  if (slot === undefined) throw new BundleError("SLOT_NOT_FOUND", `${path} has no slot ${slotId}`, { slotId });
  return decodeToken(slot.wrapped) as Uint8Array;
}
