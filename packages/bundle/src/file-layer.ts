import { constants } from "node:fs";
import { link, lstat, mkdir, open, readdir, rename, rmdir, unlink } from "node:fs/promises";

export interface FileFacts {
  readonly kind: "file" | "link" | "folder" | "other";
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly inode: number;
  readonly size: number;
  readonly modifiedMs: number;
}

export interface ReadFile {
  readonly bytes: Uint8Array;
  readonly facts: FileFacts;
}

/**
 * The few calls that reach the disk, so that each can be made to fail. Errors are Node's, with `code` such as `ENOENT`.
 */
export interface FileLayer {
  /** What is at the path itself; a symbolic link is not followed. Nothing when nothing is there. */
  look(path: string): Promise<FileFacts | undefined>;
  /** The bytes and facts of one opened file, at most `maxBytes + 1` of them. Nothing when nothing is there. */
  read(
    path: string,
    options: { readonly maxBytes: number; readonly followLinks: boolean },
  ): Promise<ReadFile | undefined>;
  /** Makes a new file of mode 0600. `EEXIST` when something is at the path. */
  create(path: string): Promise<NewFile>;
  rename(from: string, to: string): Promise<void>;
  /** A second name for a file, refused with `EEXIST` when the name is taken. */
  link(existing: string, name: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes what was created, renamed and unlinked in a folder last. */
  syncFolder(path: string): Promise<void>;
  /** Names in a folder; none when the folder is not there. */
  list(path: string): Promise<readonly string[]>;
  /** Makes a folder of mode 0700 unless it is there. */
  makeFolder(path: string): Promise<void>;
  /** Removes an empty folder. */
  removeFolder(path: string): Promise<void>;
}

export interface NewFile {
  write(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The disk. */
export const diskFiles: FileLayer = {
  async look(path) {
    const stats = await absentAs(undefined, lstat(path));
    return stats && factsOf(stats);
  },
  async read(path, { maxBytes, followLinks }) {
    // Non-blocking, so that a FIFO in place of the file does not hang the reader.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | (followLinks ? 0 : constants.O_NOFOLLOW);
    const handle = await absentAs(undefined, open(path, flags));
    if (handle === undefined) return undefined;
    try {
      const facts = factsOf(await handle.stat());
      if (facts.kind !== "file") return { bytes: new Uint8Array(), facts };
      const buffer = new Uint8Array(Math.min(facts.size, maxBytes) + 1);
      let length = 0;
      while (length < buffer.length) {
        const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return { bytes: buffer.subarray(0, length), facts };
    } finally {
      await handle.close();
    }
  },
  async create(path) {
    const handle = await open(
      path,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    );
    return {
      write: (bytes) => handle.writeFile(bytes),
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
  rename,
  link,
  unlink,
  async syncFolder(path) {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  list: (path) => absentAs<readonly string[]>([], readdir(path)),
  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  removeFolder: rmdir,
};

/** The code of a Node file error, such as `ENOENT`. */
export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" ? code : undefined;
}

async function absentAs<T>(absent: T, attempt: Promise<T>): Promise<T> {
  try {
    return await attempt;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return absent;
    throw error;
  }
}

function factsOf(stats: {
  isFile(): boolean;
  isSymbolicLink(): boolean;
  isDirectory(): boolean;
  mode: number;
  uid: number;
  ino: number;
  size: number;
  mtimeMs: number;
}): FileFacts {
  const kind = stats.isFile() ? "file" : stats.isSymbolicLink() ? "link" : stats.isDirectory() ? "folder" : "other";
  return {
    kind,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    inode: stats.ino,
    size: stats.size,
    modifiedMs: stats.mtimeMs,
  };
}
