import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { removeTemporaries, writeFailure, writeNew } from "../atomic-write.js";
import { BundleError } from "../errors.js";
import { errnoOf, type FileLayer } from "../file-layer.js";
import type { BundleHost } from "../host.js";
import { LIMITS } from "../limits.js";
import { withLock } from "../lock.js";
import { readFailure } from "../read-failure.js";
import type { DepositRecord } from "./deposit-record.js";
import { encodeDepositRecord } from "./deposit-record.js";

const LOCK_WAIT_MS = 10_000;

/** One file of the deposit folder. */
export interface StoredDeposit {
  readonly index: number;
  readonly file: string;
  /** Absent beyond the limit of records that are looked at. */
  readonly bytes: Uint8Array | undefined;
}

/** Where the records of a bundle lie, one file each; a record made elsewhere is moved here by hand. */
function depositFolder(bundlePath: string): string {
  return `${bundlePath}.deposits`;
}

/** Every `*.deposit` file in the order of names. @throws {@link BundleError} `IO` when the folder cannot be listed. */
export async function readDeposits(files: FileLayer, bundlePath: string): Promise<StoredDeposit[]> {
  const folder = depositFolder(bundlePath);
  let names: string[];
  try {
    names = (await files.list(folder)).filter((name) => name.endsWith(".deposit")).sort();
  } catch (cause) {
    throw readFailure(folder, cause);
  }
  const stored: StoredDeposit[] = [];
  for (const [index, file] of names.entries()) {
    const bytes = index < LIMITS.deposits ? await readRecord(files, join(folder, file)) : undefined;
    stored.push({ index, file, bytes });
  }
  return stored;
}

/** Nothing for a file that cannot be read: one of them must not take the others out of force. */
async function readRecord(files: FileLayer, path: string): Promise<Uint8Array> {
  try {
    const found = await files.read(path, { maxBytes: LIMITS.depositBytes, followLinks: false });
    return found?.bytes ?? new Uint8Array();
  } catch {
    return new Uint8Array();
  }
}

/** Names sort by sequence, and tell contributors and backends apart without spelling them. */
function depositFileName(record: DepositRecord): string {
  const source = createHash("sha256").update(`${record.publicKey}\n${record.backend}`).digest("hex").slice(0, 16);
  return `${String(record.sequence).padStart(16, "0")}-${source}.deposit`;
}

/** @throws {@link BundleError} `EXISTS` when the contributor has used the sequence for this backend, `LOCKED`, `IO`. */
export async function storeDeposit(host: BundleHost, bundlePath: string, record: DepositRecord): Promise<string> {
  const { files } = host;
  const folder = depositFolder(bundlePath);
  try {
    await files.makeFolder(folder);
    await files.syncFolder(dirname(folder));
  } catch (cause) {
    throw writeFailure(folder, cause);
  }
  return withLock(host, lockedName(folder), { waitMs: LOCK_WAIT_MS }, async () => {
    const path = join(folder, depositFileName(record));
    await writeNew(files, path, encodeDepositRecord(record));
    await removeTemporaries(files, folder);
    return path;
  });
}

/** Removes records by file name; one that is gone by now is no failure. @throws {@link BundleError} `DEPOSIT_NOT_FOUND`, `LOCKED`, `IO`. */
export async function removeDeposits(host: BundleHost, bundlePath: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const { files } = host;
  const folder = depositFolder(bundlePath);
  const present = await files.list(folder);
  for (const name of names) {
    if (!name.endsWith(".deposit") || !present.includes(name)) {
      throw new BundleError("DEPOSIT_NOT_FOUND", `${folder} holds no deposit "${name}"`, { deposit: name });
    }
  }
  await withLock(host, lockedName(folder), { waitMs: LOCK_WAIT_MS }, async () => {
    try {
      for (const name of names) {
        await files.unlink(join(folder, name)).catch((error: unknown) => {
          if (errnoOf(error) !== "ENOENT") throw error;
        });
      }
      await files.syncFolder(folder);
    } catch (cause) {
      throw writeFailure(folder, cause);
    }
    await removeTemporaries(files, folder);
  });
}

/** The lock of the folder is `BUNDLE.deposits/.lock`: whoever may write there may take it. */
function lockedName(folder: string): string {
  return `${folder}/`;
}
