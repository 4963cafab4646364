import { removeLeftovers, writeAtomically } from "./atomic-write.js";
import { readBundleFile } from "./bundle-file.js";
import { type CredentialInput, encodeCredential } from "./credential.js";
import { makeDepositKey } from "./deposits/deposit-key.js";
import { Draft, type SlotInput } from "./draft.js";
import { BundleError, isBundleError } from "./errors.js";
import { type BundleHost, localHost } from "./host.js";
import { takeLock } from "./lock.js";
import { readSidecar, writeSidecar } from "./sidecar.js";
import { encodeToken } from "./token.js";

export interface CreateBundleOptions {
  /** At least one. */
  readonly slots: readonly SlotInput[];
  readonly backends?: readonly CredentialInput[];
  /** Also makes a deposit key, so that deposits can be sealed to the bundle. */
  readonly depositKey?: boolean;
  /** Replaces a bundle that is there, at an epoch above its own. */
  readonly force?: boolean;
  /** Called when the bundle is sealed and has opened again, before anything is written; when it throws, nothing is. */
  readonly onSealed?: (created: CreatedBundle) => Promise<void>;
  readonly signal?: AbortSignal;
  /** @internal */
  readonly host?: BundleHost;
}

export interface CreatedBundle {
  /** 22 characters base64url. */
  readonly bundleId: string;
  readonly epoch: number;
  readonly slots: readonly { readonly id: number; readonly method: string; readonly label: string }[];
  /** Slots that were not opened again, because what opens them was not at hand. */
  readonly untriedSlots: readonly number[];
  /** 43 characters base64url, when a deposit key was made. */
  readonly depositRecipient?: string;
}

/**
 * Writes a new bundle, mode 0600, after opening it again through every slot whose secret is at hand.
 * @throws {@link BundleError} `EXISTS`, `NOT_A_PLAIN_FILE`, `CREDENTIAL_INVALID`, `SLOT_UNAVAILABLE`, `MALFORMED`, `LIMIT`, `LOCKED`, `IO`.
 */
export async function createBundle(path: string, options: CreateBundleOptions): Promise<CreatedBundle> {
  const { host = localHost, signal } = options;
  if (options.slots.length === 0) throw new TypeError("a bundle needs at least one slot");
  const lock = await takeLock(host, path, { waitMs: 30_000, ...(signal && { signal }) });
  const draft = Draft.empty(host.now());
  try {
    const before = await epochBefore(host, path, options.force === true);
    for (const input of options.backends ?? []) {
      const backend = encodeCredential(input);
      if (draft.backends.has(backend.id)) {
        throw new BundleError("CREDENTIAL_INVALID", `backend "${backend.id}" is given twice`, {
          backendId: backend.id,
          problems: ["id: given twice"],
        });
      }
      draft.backends.set(backend.id, backend);
    }
    for (const slot of options.slots) await draft.addSlot(slot, host.now(), signal);
    if (options.depositKey === true) makeDepositKey(draft);
    const epoch = before + 1;
    const { bytes, untried } = await draft.seal(epoch, signal);
    const created: CreatedBundle = {
      bundleId: encodeToken(draft.bundleId),
      epoch,
      slots: draft.slots.map(({ id, method, label }) => ({ id, method, label })),
      untriedSlots: untried,
      ...(draft.deposits.recipient !== null && { depositRecipient: draft.deposits.recipient }),
    };
    await options.onSealed?.(created);
    await lock.confirm();
    await writeAtomically(host.files, path, bytes);
    await writeSidecar(host.files, path, epoch);
    await removeLeftovers(host.files, path);
    return created;
  } finally {
    draft.dispose();
    await lock.release();
  }
}

/** The epoch the new bundle has to be above: the sidecar never goes down, so neither does what stands beside it. */
async function epochBefore(host: BundleHost, path: string, force: boolean): Promise<number> {
  const found = await host.files.look(path);
  if (found !== undefined && found.kind !== "file") {
    throw new BundleError("NOT_A_PLAIN_FILE", `${path} is not a plain file`, { path });
  }
  if (found !== undefined && !force) throw new BundleError("EXISTS", `${path} exists already`, { path });
  const sidecarEpoch = (await readSidecar(host.files, path)) ?? 0;
  if (found === undefined) return sidecarEpoch;
  try {
    const { container } = await readBundleFile(host.files, path, { followLinks: false, uid: host.uid() });
    return Math.max(sidecarEpoch, container.clear.epoch);
  } catch (error) {
    // What is replaced need not be readable; whose it is, though, still counts.
    if (isBundleError(error) && error.code !== "BAD_OWNER" && error.code !== "IO") return sidecarEpoch;
    throw error;
  }
}
