import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { BundleError } from "./errors.js";
import { errnoOf, type FileLayer } from "./file-layer.js";

const TEMPORARY = /\.tmp-[0-9a-f]{16}$/;

/** A fresh name beside `path`; {@link removeLeftovers} finds it again when the writer was killed. */
export function temporaryName(path: string): string {
  return `${path}.tmp-${randomBytes(8).toString("hex")}`;
}

/**
 * Replaces the file at `path` as a whole: a temporary file of mode 0600, fsync, rename, fsync of the folder. Until the
 * rename the old content stands, and a failure removes what was made.
 * @throws {@link BundleError} `IO`.
 */
export async function writeAtomically(files: FileLayer, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await writeTemporary(files, temporary, bytes);
    await files.rename(temporary, path);
    await files.syncFolder(dirname(path));
  } catch (cause) {
    await files.unlink(temporary).catch(() => {});
    throw writeFailure(path, cause);
  }
}

/** Like {@link writeAtomically}, and refuses with `EXISTS` when something is at the path. */
export async function writeNew(files: FileLayer, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await writeTemporary(files, temporary, bytes);
    await files.link(temporary, path);
    await files.unlink(temporary);
    await files.syncFolder(dirname(path));
  } catch (cause) {
    await files.unlink(temporary).catch(() => {});
    if (errnoOf(cause) === "EEXIST") throw new BundleError("EXISTS", `${path} exists already`, { path }, { cause });
    throw writeFailure(path, cause);
  }
}

/** Removes what killed writers left of the file at `path`, its sidecar and its lock. Call it under the lock. */
export async function removeLeftovers(files: FileLayer, path: string): Promise<void> {
  const folder = dirname(path);
  const own = ["", ".epoch", ".lock", ".lock.breaking"].map((suffix) => `${basename(path)}${suffix}`);
  for (const name of await files.list(folder)) {
    const isTemporary = TEMPORARY.test(name) && own.includes(name.replace(TEMPORARY, ""));
    if (isTemporary || name === own[3]) await files.unlink(join(folder, name)).catch(() => {});
  }
}

/** The same for a folder of records, whose lock is `.lock`. Call it under that lock. */
export async function removeTemporaries(files: FileLayer, folder: string): Promise<void> {
  for (const name of await files.list(folder)) {
    if (TEMPORARY.test(name) || name === ".lock.breaking") await files.unlink(join(folder, name)).catch(() => {});
  }
}

async function writeTemporary(files: FileLayer, temporary: string, bytes: Uint8Array): Promise<void> {
  const file = await files.create(temporary);
  try {
    await file.write(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

export function writeFailure(path: string, cause: unknown): BundleError<"IO"> {
  const errno = errnoOf(cause);
  const why =
    errno === undefined ? (cause instanceof Error ? cause.message : String(cause)) : (REASONS[errno] ?? errno);
  return new BundleError(
    "IO",
    `${path} cannot be written: ${why}`,
    { path, ...(errno !== undefined && { errno }) },
    { cause },
  );
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied (EACCES)",
  EPERM: "not permitted (EPERM)",
  EROFS: "the file system is read-only (EROFS)",
  ENOSPC: "the disk is full (ENOSPC)",
  EDQUOT: "over the disk quota (EDQUOT)",
  ENOENT: "the folder does not exist (ENOENT)",
  ENOTDIR: "a part of the path is not a folder (ENOTDIR)",
};
