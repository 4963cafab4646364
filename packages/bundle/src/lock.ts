import { setTimeout as sleep } from "node:timers/promises";
import { temporaryName, writeFailure } from "./atomic-write.js";
import { BundleError } from "./errors.js";
import { errnoOf, type FileLayer } from "./file-layer.js";
import type { BundleHost } from "./host.js";
import type { ProcessIdentity } from "./process-identity.js";

const RETRY_MS = 50;
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
  const { files } = host;
  const path = `${bundlePath}.lock`;
  const content = new TextEncoder().encode(`${JSON.stringify(await host.processes.own())}\n`);
  const deadline = performance.now() + options.waitMs;
  for (;;) {
    options.signal?.throwIfAborted();
    const inode = await tryToHold(files, path, content);
    if (inode !== undefined) return heldLock(files, path, inode);
    const holder = await holderOf(host, path);
    if (holder === "none") continue;
    if (holder.stale) {
      await breakLock(host, path, holder.inode, content);
      continue;
    }
    if (performance.now() >= deadline) {
      const pid = holder.identity?.pid;
      throw new BundleError(
        "LOCKED",
        `another process${pid === undefined ? "" : ` (pid ${pid})`} is changing ${bundlePath}; try again`,
        {
          path,
          ...(pid !== undefined && { pid }),
        },
      );
    }
    await sleep(RETRY_MS, undefined, options.signal && { signal: options.signal });
  }
}

function heldLock(files: FileLayer, path: string, inode: number): Lock {
  return {
    async confirm() {
      const facts = await files.look(path);
      if (facts?.inode !== inode)
        throw new BundleError("LOCKED", `${path} was taken away by another process`, { path });
    },
    async release() {
      const facts = await files.look(path).catch(() => undefined);
      if (facts?.inode === inode) await files.unlink(path).catch(() => {});
    },
  };
}

async function tryToHold(files: FileLayer, path: string, content: Uint8Array): Promise<number | undefined> {
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
    const facts = await files.look(temporary);
    await files.link(temporary, path);
    await files.unlink(temporary).catch(() => {});
    return facts?.inode;
  } catch (cause) {
    await files.unlink(temporary).catch(() => {});
    // ENOENT: a writer that holds the lock swept the temporary file away as a leftover. Try again.
    if (errnoOf(cause) === "EEXIST" || (errnoOf(cause) === "ENOENT" && (await files.look(path)) !== undefined))
      return undefined;
    throw writeFailure(path, cause);
  }
}

interface Holder {
  readonly inode: number;
  readonly identity: ProcessIdentity | undefined;
  readonly stale: boolean;
}

async function holderOf({ files, processes }: BundleHost, path: string): Promise<Holder | "none"> {
  const found = await files.read(path, { maxBytes: 4096, followLinks: false });
  if (found === undefined) return "none";
  const { inode, modifiedMs } = found.facts;
  const identity = parseIdentity(new TextDecoder().decode(found.bytes));
  const life = identity === undefined ? "unknown" : await processes.lifeOf(identity);
  const stale = life === "dead" || (life === "unknown" && Date.now() - modifiedMs > FOREIGN_STALE_MS);
  return { inode, identity, stale };
}

/** Only the one that holds the breaker's own lock file removes, and looks again first: no living lock is ever removed. */
async function breakLock(host: BundleHost, path: string, staleInode: number, content: Uint8Array): Promise<void> {
  const { files } = host;
  const breaker = `${path}.breaking`;
  const inode = await tryToHold(files, breaker, content);
  if (inode === undefined) {
    const holder = await holderOf(host, breaker);
    if (holder !== "none" && holder.stale) await files.unlink(breaker).catch(() => {});
    await sleep(RETRY_MS);
    return;
  }
  try {
    const holder = await holderOf(host, path);
    if (holder !== "none" && holder.inode === staleInode && holder.stale) await files.unlink(path);
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
