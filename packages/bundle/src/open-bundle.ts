import { type BundleFile, octal, readBundleFile, refuseLooseMode } from "./bundle-file.js";
import type { ClearPart } from "./clear-part.js";
import { type BackendCredential, decodeCredential } from "./credential.js";
import { readDeposits } from "./deposits/deposit-folder.js";
import { type DepositReview, type ReviewedDeposit, reviewDeposits } from "./deposits/review.js";
import { isBundleError } from "./errors.js";
import { type BundleHost, localHost } from "./host.js";
import { takeLock } from "./lock.js";
import { type Payload, zeroPayload } from "./payload.js";
import { unsealBundle } from "./seal.js";
import { checkEpoch, readSidecar, sidecarPath, writeSidecar } from "./sidecar.js";
import type { AnySlotProvider } from "./slot.js";
import { unlock } from "./unlock.js";

export interface OpenBundleOptions {
  /** What may open it; all of a slot's kind are tried. */
  readonly unlock: readonly AnySlotProvider[];
  /** What a mode with access for group or others means; a warning by default. */
  readonly looseMode?: "warn" | "refuse";
  /** Takes a bundle that is older than its sidecar. */
  readonly acceptRollback?: boolean;
  /** Writes the sidecar when it is missing or behind. Off by default. */
  readonly raiseSidecar?: boolean;
  /** `overlay` (the default) puts effective deposits in place of what is sealed, `review` only judges them, `ignore` reads none. */
  readonly deposits?: "overlay" | "review" | "ignore";
  readonly signal?: AbortSignal;
  /** @internal */
  readonly host?: BundleHost;
}

/** An open bundle. Disposing zeroes what it holds; the credentials cannot be read any more. */
export interface OpenedBundle extends Disposable, AsyncDisposable {
  /** 22 characters base64url. */
  readonly bundleId: string;
  /** From 1; one more at each change of the file. */
  readonly epoch: number;
  /** The slot that opened it. */
  readonly slot: { readonly id: number; readonly method: string; readonly label: string };
  /** Every deposit found, in the order of file names; empty with `ignore`. */
  readonly deposits: readonly DepositReview[];
  /** By backend id. */
  readonly backends: ReadonlyMap<string, BackendCredential>;
  /** What the operator should be told, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Opens the bundle at `path`: owner, mode and sidecar are checked before any slot is tried.
 * @throws {@link BundleError} `NOT_FOUND`, `NOT_A_PLAIN_FILE`, `BAD_OWNER`, `BAD_MODE`, `NOT_A_BUNDLE`, `UNSUPPORTED_VERSION`,
 * `DAMAGED`, `MALFORMED`, `ROLLED_BACK`, `SIDECAR_INVALID`, `WRONG_SECRET`, `NO_SLOT_OPENED`, `SLOT_UNAVAILABLE`,
 * `COST_TOO_HIGH`, `AUTHENTICATION`, `IO`.
 */
export async function openBundle(path: string, options: OpenBundleOptions): Promise<OpenedBundle> {
  const { host = localHost, signal } = options;
  const warnings: string[] = [];
  const { file, sidecarEpoch } = await readChecked(host, path, options);
  if (file.looseMode !== undefined) {
    warnings.push(`${path} has mode ${octal(file.looseMode)}: nobody but its owner should have access (0600 or 0400)`);
  }
  const { container } = file;
  const { masterKey, slot } = await unlock(container, options.unlock, signal);
  let payload: Payload;
  let reviewed: readonly ReviewedDeposit[] = [];
  try {
    payload = await unsealBundle(container, masterKey);
  } finally {
    masterKey.fill(0);
  }
  try {
    const { epoch } = container.clear;
    if (options.raiseSidecar === true && (sidecarEpoch === undefined || sidecarEpoch < epoch)) {
      const problem = await raise(host, path, epoch, signal);
      if (problem !== undefined) warnings.push(problem);
    }
    reviewed = await depositsOf(host, path, container.clear, payload, options, warnings);
    const overlaid = options.deposits === undefined || options.deposits === "overlay" ? reviewed : [];
    const deposited = overlaid.flatMap(({ credential }) => (credential === undefined ? [] : [credential]));
    const backends = new Map(
      [...payload.backends, ...deposited].map((backend) => [backend.id, decodeCredential(backend)]),
    );
    const dispose = () => zero(payload, reviewed);
    return {
      bundleId: container.clear.bundleId,
      epoch,
      slot: { id: slot.id, method: slot.method, label: slot.label },
      deposits: reviewed.map(({ credential: _secret, ...review }) => review),
      backends,
      warnings,
      [Symbol.dispose]: dispose,
      [Symbol.asyncDispose]: async () => dispose(),
    };
  } catch (error) {
    zero(payload, reviewed);
    throw error;
  }
}

function zero(payload: Payload, deposits: readonly ReviewedDeposit[]): void {
  zeroPayload(payload);
  for (const { credential } of deposits) credential?.json.fill(0);
}

/** Deposits never stop an open: a folder that cannot be read is a warning. */
async function depositsOf(
  host: BundleHost,
  path: string,
  clear: ClearPart,
  payload: Payload,
  options: OpenBundleOptions,
  warnings: string[],
): Promise<ReviewedDeposit[]> {
  if (options.deposits === "ignore") return [];
  try {
    return await reviewDeposits(clear, payload, await readDeposits(host.files, path));
  } catch (error) {
    if (!isBundleError(error)) throw error;
    warnings.push(`the deposits are left out: ${error.message}`);
    return [];
  }
}

/** The sidecar is read before the bundle: a writer raises the bundle first, so this order never takes a change for a rollback. */
async function readChecked(
  host: BundleHost,
  path: string,
  options: OpenBundleOptions,
): Promise<{ file: BundleFile; sidecarEpoch: number | undefined }> {
  const sidecar = await readSidecar(host.files, path).catch((error: unknown) => {
    if (isBundleError(error)) return error;
    throw error;
  });
  const file = await readBundleFile(host.files, path, { followLinks: true, uid: host.uid() });
  if (options.looseMode === "refuse") refuseLooseMode(path, file.looseMode);
  if (isBundleError(sidecar)) throw sidecar;
  if (options.acceptRollback !== true) checkEpoch(path, file.container.clear.epoch, sidecar);
  return { file, sidecarEpoch: sidecar };
}

/** Under the lock and after another look, so that a writer's newer sidecar is not lowered. A read-only folder is no failure. */
async function raise(host: BundleHost, path: string, epoch: number, signal?: AbortSignal): Promise<string | undefined> {
  try {
    const lock = await takeLock(host, path, { waitMs: 5_000, ...(signal && { signal }) });
    try {
      const now = await readSidecar(host.files, path);
      if (now === undefined || now < epoch) await writeSidecar(host.files, path, epoch);
    } finally {
      await lock.release();
    }
    return undefined;
  } catch (error) {
    if (!isBundleError(error)) throw error;
    return `${sidecarPath(path)} could not be raised to epoch ${epoch}, so an older copy would not be noticed: ${error.message}`;
  }
}
