import { constants } from "node:fs";
import { chmod, chown, type FileHandle, lstat, mkdtemp, open, rename, rm, rmdir, unlink } from "node:fs/promises";
import { connect, type Server } from "node:net";
import { dirname, join, resolve } from "node:path";
import { BrokerError } from "../errors.js";
import { loadCLibrary } from "../native/c-library.js";
import { requirePlatform } from "../peer/peer.js";

export interface SocketOptions {
  readonly path: string;
  /** Permission bits, at most 0o7777. Default: 0o600. */
  readonly mode?: number;
  /** Name or number. Default: that of the process. */
  readonly group?: string | number;
}

export interface BoundSocket extends AsyncDisposable {
  readonly path: string;
}

/** sun_path of unix(7), less the byte that ends it; macOS has 104. */
const MAX_PATH_BYTES = process.platform === "darwin" ? 103 : 107;
const DEFAULT_MODE = 0o600;
/** Connections that wait to be accepted, as far as `net.core.somaxconn` lets it; one more is refused by the kernel (unix(7), EAGAIN). */
const BACKLOG = 4096;
/** Where others may write the folder, a link makes no file elsewhere, and a pipe holds nobody up. */
const LOCK_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Has `server` listen at the path. The socket is bound in a folder of its own that only we can enter, given its mode and
 * group there, and moved to its path whole: nobody can connect before it is as it should be. A socket that nobody listens
 * at is replaced; anything else at the path is left alone. `PATH.lock` keeps a second broker out as long as this one lives.
 *
 * Disposing removes the path, if it still is our socket.
 *
 * @throws {@link BrokerError} `SOCKET_IN_USE`, `SOCKET_PATH_OCCUPIED`, `SOCKET_PATH_INVALID`, `SOCKET_GROUP_UNKNOWN`, `SOCKET_FAILED`.
 */
export async function bindSocket(server: Server, options: SocketOptions): Promise<BoundSocket> {
  const path = requirePath(options.path);
  const mode = requireMode(options.mode ?? DEFAULT_MODE);
  const gid = await groupNumber(options.group);
  const lock = await lockPath(path);
  try {
    await requireFree(path);
    const { dev, ino } = await bindAside(server, path, mode, gid);
    return {
      path,
      async [Symbol.asyncDispose]() {
        try {
          const found = await lstat(path).catch(() => undefined);
          if (found?.dev === dev && found.ino === ino) await unlink(path).catch(() => undefined);
        } finally {
          await lock.close();
        }
      },
    };
  } catch (error) {
    await lock.close();
    throw error instanceof BrokerError ? error : failed(path, error);
  }
}

/**
 * Whether `bindSocket` could listen there, as far as can be told without listening: length, folder, mode, group, and
 * what is at the path already. Nothing stays behind.
 *
 * @throws {@link BrokerError} as `bindSocket`, and `PLATFORM_UNSUPPORTED`.
 */
export async function checkSocket(options: SocketOptions): Promise<void> {
  const path = requirePath(options.path);
  requireMode(options.mode ?? DEFAULT_MODE);
  await requirePlatform();
  await groupNumber(options.group);
  await requireFree(path);
  try {
    const folder = await mkdtemp(join(dirname(path), ".b"));
    await rmdir(folder);
    requireLength(join(folder, "s"), path);
  } catch (error) {
    throw error instanceof BrokerError ? error : failed(path, error);
  }
}

async function bindAside(server: Server, path: string, mode: number, gid: number | undefined) {
  const folder = await mkdtemp(join(dirname(path), ".b"));
  const aside = join(folder, "s");
  try {
    requireLength(aside, path);
    await new Promise<void>((listening, reject) => {
      server.once("error", reject);
      server.listen({ path: aside, backlog: BACKLOG }, () => {
        server.off("error", reject);
        listening();
      });
    });
    if (gid !== undefined) await chown(aside, -1, gid);
    await chmod(aside, mode);
    const stat = await lstat(aside);
    await rename(aside, path);
    return stat;
  } catch (error) {
    server.close();
    await rm(aside, { force: true });
    throw error;
  } finally {
    await rmdir(folder).catch(() => undefined);
  }
}

/** A lock dies with its process, whatever kills it; the file stays, for removing it would let two in. */
async function lockPath(path: string): Promise<FileHandle> {
  const { lockExclusively } = await loadCLibrary();
  const file = await open(`${path}.lock`, LOCK_FLAGS, 0o600).catch((cause) => {
    throw failed(path, cause);
  });
  if (lockExclusively(file.fd)) return file;
  await file.close();
  throw inUse(path);
}

async function requireFree(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw failed(path, error);
  });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new BrokerError("SOCKET_PATH_OCCUPIED", `${path} exists and is not a socket; it is left alone`, { path });
  }
  if (await answers(path)) throw inUse(path);
}

/** Only a refusal proves that nobody listens. */
function answers(path: string): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      settle(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => settle(error.code !== "ECONNREFUSED"));
  });
}

async function groupNumber(group: string | number | undefined): Promise<number | undefined> {
  if (group === undefined) return undefined;
  if (typeof group === "number" || /^\d+$/.test(group)) {
    const gid = Number(group);
    if (Number.isSafeInteger(gid) && gid >= 0 && gid < 0xffff_ffff) return gid;
    throw new BrokerError("SOCKET_GROUP_UNKNOWN", `group: ${group} is no group number`, { group: String(group) });
  }
  const gid = (await loadCLibrary()).groupId(group);
  if (gid !== undefined) return gid;
  throw new BrokerError("SOCKET_GROUP_UNKNOWN", `group: this system has no group ${JSON.stringify(group)}`, { group });
}

function requirePath(given: string): string {
  if (typeof given !== "string" || given === "" || given.includes("\0")) {
    throw new BrokerError("SOCKET_PATH_INVALID", "path must be the path of a file", { path: String(given) });
  }
  const path = resolve(given);
  requireLength(path, path);
  return path;
}

function requireLength(candidate: string, path: string): void {
  const bytes = Buffer.byteLength(candidate);
  if (bytes <= MAX_PATH_BYTES) return;
  const message = `${path} is too long for a socket: it needs ${bytes} bytes while it is made, ${MAX_PATH_BYTES} are allowed`;
  throw new BrokerError("SOCKET_PATH_INVALID", message, { path });
}

function requireMode(mode: number): number {
  if (Number.isSafeInteger(mode) && mode >= 0 && mode <= 0o7777) return mode;
  throw new TypeError(`mode must be permission bits from 0 to 0o7777, found ${String(mode)}`);
}

function inUse(path: string): BrokerError<"SOCKET_IN_USE"> {
  return new BrokerError("SOCKET_IN_USE", `a broker is listening at ${path} already; stop it first`, { path });
}

function failed(path: string, cause: unknown): BrokerError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") {
    const text = `${dirname(path)} is not a folder; make it before the broker starts`;
    return new BrokerError("SOCKET_PATH_INVALID", text, { path }, { cause });
  }
  const details = { path, ...(code === undefined ? {} : { errno: code }) };
  return new BrokerError("SOCKET_FAILED", `cannot listen at ${path}: ${message}`, details, { cause });
}
