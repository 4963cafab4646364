import { type Container, decodeContainer } from "./container.js";
import { BundleError } from "./errors.js";
import type { FileFacts, FileLayer } from "./file-layer.js";
import { LIMITS } from "./limits.js";
import { readFailure } from "./read-failure.js";

export interface BundleFile {
  readonly bytes: Uint8Array;
  readonly container: Container;
  /** The permission bits when group or others have any, which a reader warns about; nothing when they are right. */
  readonly looseMode: number | undefined;
}

export interface ReadBundleOptions {
  /** A writer replaces what is at the path, so it takes no symbolic link. */
  readonly followLinks: boolean;
  /** The effective uid of this process, where the platform has one. */
  readonly uid: number | undefined;
}

/**
 * Reads and takes apart the bundle at `path`, with its owner checked; unlocks nothing.
 * @throws {@link BundleError} `NOT_FOUND`, `NOT_A_PLAIN_FILE`, `BAD_OWNER`, `IO`, and what {@link decodeContainer} throws.
 */
export async function readBundleFile(files: FileLayer, path: string, options: ReadBundleOptions): Promise<BundleFile> {
  let found: Awaited<ReturnType<FileLayer["read"]>>;
  try {
    found = await files.read(path, { maxBytes: LIMITS.bundleBytes, followLinks: options.followLinks });
  } catch (cause) {
    throw readFailure(path, cause);
  }
  if (found === undefined) throw new BundleError("NOT_FOUND", `${path} does not exist`, { path });
  checkOwnership(path, found.facts, options.uid);
  const looseMode = (found.facts.mode & 0o077) === 0 ? undefined : found.facts.mode;
  try {
    return { bytes: found.bytes, container: decodeContainer(found.bytes), looseMode };
  } catch (error) {
    throw named(path, error);
  }
}

/** @throws {@link BundleError} `BAD_MODE`. */
export function refuseLooseMode(path: string, looseMode: number | undefined): void {
  if (looseMode === undefined) return;
  throw new BundleError(
    "BAD_MODE",
    `${path} has mode ${octal(looseMode)}: nobody but its owner may have access (0600 or 0400)`,
    {
      path,
      mode: looseMode,
    },
  );
}

export function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

function checkOwnership(path: string, facts: FileFacts, uid: number | undefined): void {
  if (facts.kind !== "file") throw new BundleError("NOT_A_PLAIN_FILE", `${path} is not a plain file`, { path });
  // What root put there may be read by the service it is for; what another user put there is not trusted.
  if (uid !== undefined && facts.uid !== uid && facts.uid !== 0) {
    throw new BundleError("BAD_OWNER", `${path} belongs to uid ${facts.uid}, not to uid ${uid} or root`, {
      path,
      uid: facts.uid,
    });
  }
}

/** The same error with the path in front, so that a message stands on its own. */
function named(path: string, error: unknown): unknown {
  if (!(error instanceof BundleError)) return error;
  return new BundleError(error.code, `${path}: ${error.message}`, error.details, { cause: error });
}
