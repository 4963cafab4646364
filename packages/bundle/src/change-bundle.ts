import { removeLeftovers, writeAtomically } from "./atomic-write.js";
import { readBundleFile } from "./bundle-file.js";
import { Draft } from "./draft.js";
import { BundleError } from "./errors.js";
import { type BundleHost, localHost } from "./host.js";
import { LIMITS } from "./limits.js";
import { takeLock } from "./lock.js";
import { unsealBundle } from "./seal.js";
import { checkEpoch, readSidecar, sidecarPath, writeSidecar } from "./sidecar.js";
import type { AnySlotProvider } from "./slot.js";
import { unlock } from "./unlock.js";

export interface ChangeBundleOptions {
  /** What may open it; all of a slot's kind are tried. */
  readonly unlock: readonly AnySlotProvider[];
  /** Takes a bundle that is older than its sidecar, and puts it above: the sidecar still only rises. */
  readonly acceptRollback?: boolean;
  /** How long to wait for another process that is changing the bundle; 30 s by default. */
  readonly lockWaitMs?: number;
  readonly signal?: AbortSignal;
  /** @internal */
  readonly host?: BundleHost;
}

export interface NoticeOptions<T> {
  /** Called when the new bundle is sealed and has opened again, before anything is written; when it throws, nothing is. */
  readonly onSealed?: (sealed: { readonly result: T; readonly epoch: number }) => Promise<void>;
}

export interface Changed<T> {
  readonly result: T;
  /** The epoch of the bundle now; one more than before when something was written. */
  readonly epoch: number;
  readonly written: boolean;
  readonly untriedSlots: readonly number[];
}

export interface ChangeContext {
  readonly host: BundleHost;
  /** Runs once the new bundle and its sidecar are on disk, still under the lock. */
  afterwards(task: () => Promise<void>): void;
}

/**
 * Opens the bundle under its lock, lets `change` edit the draft, and replaces the file: bundle first, then the sidecar, so
 * that a kill in between locks nobody out. Nothing is written when the draft says that nothing changed.
 * @throws {@link BundleError} Whatever opening throws, `ROLLED_BACK`, `LOCKED`, `LIMIT`, `IO`.
 */
export async function changeBundle<T>(
  path: string,
  options: ChangeBundleOptions & NoticeOptions<T>,
  change: (draft: Draft, context: ChangeContext) => Promise<T> | T,
): Promise<Changed<T>> {
  const { host = localHost, signal, lockWaitMs = 30_000 } = options;
  const { files } = host;
  const read = () => readBundleFile(files, path, { followLinks: false, uid: host.uid() });
  // Before the lock, so that a wrong path or a folder that is not ours is named as what it is.
  await read();
  const lock = await takeLock(host, path, { waitMs: lockWaitMs, ...(signal && { signal }) });
  let draft: Draft | undefined;
  try {
    const { container } = await read();
    const sidecarEpoch = await readSidecar(files, path);
    if (options.acceptRollback !== true) checkEpoch(path, container.clear.epoch, sidecarEpoch);
    const { masterKey } = await unlock(container, options.unlock, signal);
    try {
      draft = new Draft(container.clear, await unsealBundle(container, masterKey), masterKey);
    } catch (error) {
      masterKey.fill(0);
      throw error;
    }
    const tasks: (() => Promise<void>)[] = [];
    const result = await change(draft, { host, afterwards: (task) => void tasks.push(task) });
    if (!draft.changed) return { result, epoch: container.clear.epoch, written: false, untriedSlots: [] };
    const epoch = Math.max(container.clear.epoch, sidecarEpoch ?? 0) + 1;
    if (epoch > LIMITS.counter) {
      throw new BundleError("LIMIT", "the epoch cannot rise further", {
        field: "epoch",
        limit: LIMITS.counter,
        actual: epoch,
      });
    }
    const { bytes, untried } = await draft.seal(epoch, signal);
    await options.onSealed?.({ result, epoch });
    await lock.confirm();
    await writeAtomically(files, path, bytes);
    await raiseSidecar(host, path, epoch);
    for (const task of tasks) await task();
    await removeLeftovers(files, path);
    return { result, epoch, written: true, untriedSlots: untried };
  } finally {
    draft?.dispose();
    await lock.release();
  }
}

async function raiseSidecar(host: BundleHost, path: string, epoch: number): Promise<void> {
  try {
    await writeSidecar(host.files, path, epoch);
  } catch (cause) {
    const sidecar = sidecarPath(path);
    throw new BundleError(
      "IO",
      `${path} holds the change, but ${sidecar} could not be raised to ${epoch}`,
      { path: sidecar },
      { cause },
    );
  }
}
