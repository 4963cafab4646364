import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { temporaryName, writeFailure } from "./atomic-write.js";
import { BundleError } from "./errors.js";
import { errnoOf, type FileLayer } from "./file-layer.js";
import type { BundleHost } from "./host.js";
import type { ProcessIdentity } from "./process-identity.js";

const RETRY_MS = 50;
const MAX_BYTES = 4096;
const TAKEN = Symbol("taken");
/** A lock of a process whose life cannot be checked is taken as left behind after this long; no command holds one longer. */
const FOREIGN_STALE_MS = 10 * 60_000;

export interface Lock {
  /** @throws {@link BundleError} `LOCKED` when somebody took the lock away. */
  confirm(): Promise<void>;
  release(): Promise<void>;
}

export interface LockOptions {
  /** How long to wait for another process, in milliseconds. */
  readonly waitMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Takes the lock file `BUNDLE.lock` against a second writer. The file is made whole under another name and linked, so it
 * always says who holds it; the lock of a process that is gone is removed.
 * @throws {@link BundleError} `LOCKED` after `waitMs`, `IO`.
 */
export async function takeLock(host: BundleHost, bundlePath: string, options: LockOptions): Promise<Lock> {
  const path = `${bundlePath}.lock`;
  // With a nonce, so that a holder knows its own lock from one of another call of the same process.
  const identity = { ...(await host.processes.own()), nonce: randomBytes(8).toString("hex") };
  const content = new TextEncoder().encode(`${JSON.stringify(identity)}\n`);
  const deadline = performance.now() + options.waitMs;
  for (;;) {
    options.signal?.throwIfAborted();
    if (await tryToHold(host.files, path, content)) return heldLock(host.files, path, content);
    const holder = await holderOf(host, path);
    if (holder === "none") continue;
    if (holder.stale) {
      await breakLock(host, path, content);
      continue;
    }
    if (performance.now() >= deadline) {
      const pid = holder.identity?.pid;
      const who = pid === undefined ? "another process" : `another process (pid ${pid})`;
      throw new BundleError("LOCKED", `${who} is changing ${bundlePath}; try again`, {
        path,
        ...(pid !== undefined && { pid }),
      });
    }
    await sleep(RETRY_MS, undefined, options.signal && { signal: options.signal });
  }
}

/** Runs `task` with the lock of `path` held. */
export async function withLock<T>(
  host: BundleHost,
  path: string,
  options: LockOptions,
  task: (lock: Lock) => Promise<T>,
): Promise<T> {
  const lock = await takeLock(host, path, options);
  try {
    return await task(lock);
  } finally {
    await lock.release();
  }
}

function heldLock(files: FileLayer, path: string, content: Uint8Array): Lock {
  const isOwn = async (): Promise<boolean> => {
    const found = await files.read(path, { maxBytes: MAX_BYTES, followLinks: false });
    return found !== undefined && Buffer.from(content).equals(found.bytes);
  };
  return {
    async confirm() {
      if (!(await isOwn())) throw new BundleError("LOCKED", `${path} was taken away by another process`, { path });
    },
    async release() {
      if (!(await isOwn().catch(() => false))) return;
      // Synced, so that a power cut does not bring it back.
      await files
        .unlink(path)
        .then(() => files.syncFolder(dirname(path)))
        .catch(() => {});
    },
  };
}

async function tryToHold(files: FileLayer, path: string, content: Uint8Array): Promise<boolean> {
  const temporary = temporaryName(path);
  try {
    const file = await files.create(temporary);
    try {
      await file.write(content);
      // A lock that a power cut leaves behind must still say whose it was.
      await file.sync();
    } finally {
      await file.close();
    }
    await files.link(temporary, path).catch((error: unknown) => {
      // ENOENT: whoever holds the lock swept the temporary file away as a leftover. Both mean: look again.
      if (errnoOf(error) !== "EEXIST" && errnoOf(error) !== "ENOENT") throw error;
      throw TAKEN;
    });
    return true;
  } catch (cause) {
    if (cause === TAKEN) return false;
    throw writeFailure(path, cause);
  } finally {
    await files.unlink(temporary).catch(() => {});
  }
}

interface Holder {
  readonly identity: ProcessIdentity | undefined;
  readonly stale: boolean;
}

async function holderOf({ files, processes }: BundleHost, path: string): Promise<Holder | "none"> {
  const found = await files.read(path, { maxBytes: MAX_BYTES, followLinks: false });
  if (found === undefined) return "none";
  const identity = parseIdentity(new TextDecoder().decode(found.bytes));
  const life = identity === undefined ? "unknown" : await processes.lifeOf(identity);
  const stale = life === "dead" || (life === "unknown" && Date.now() - found.facts.modifiedMs > FOREIGN_STALE_MS);
  return { identity, stale };
}

/** Only who holds the breaker's own lock file removes, and looks again first: no living lock is ever removed. */
async function breakLock(host: BundleHost, path: string, content: Uint8Array): Promise<void> {
  const { files } = host;
  const breaker = `${path}.breaking`;
  if (!(await tryToHold(files, breaker, content))) {
    const holder = await holderOf(host, breaker);
    if (holder !== "none" && holder.stale) await files.unlink(breaker).catch(() => {});
    await sleep(RETRY_MS);
    return;
  }
  try {
    const holder = await holderOf(host, path);
    if (holder !== "none" && holder.stale) await files.unlink(path);
  } finally {
    await files.unlink(breaker).catch(() => {});
  }
}

function parseIdentity(text: string): ProcessIdentity | undefined {
  try {
    const value = JSON.parse(text) as Partial<ProcessIdentity>;
    if (!Number.isSafeInteger(value.pid) || (value.pid as number) <= 0) return undefined;
    if (typeof value.startedAt !== "string" || typeof value.scope !== "string") return undefined;
    return value as ProcessIdentity;
  } catch {
    return undefined;
  }
}
