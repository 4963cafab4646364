import { randomBytes } from "node:crypto";
import { link, mkdir, open, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Files that are written together: all of them, or what was there before. Taking them back needs no disk space: what a file
 * replaces is kept under a second name until {@link PlacedFiles.keep}.
 */
export class PlacedFiles {
  readonly #replace: boolean;
  /** By path, the second name of what was there. */
  readonly #before = new Map<string, string | undefined>();
  readonly #folders: string[] = [];

  /** @param options - `replace` allows to write over what is there. */
  constructor({ replace }: { readonly replace: boolean }) {
    this.#replace = replace;
  }

  /** Makes the folder, and those above it that are not there. */
  async makeFolder(path: string, mode: number): Promise<void> {
    const made = await mkdir(path, { recursive: true, mode });
    if (made === undefined) return;
    // From the innermost on, so that they can be removed in this order.
    for (let at = path; at.length >= made.length; at = dirname(at)) this.#folders.push(at);
  }

  /** Keeps what is there, for {@link undo}; to be called before another writer renames its file to this path. */
  async remember(path: string): Promise<void> {
    if (this.#before.has(path)) return;
    const kept = aside(path);
    const there = await link(path, kept).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return false;
        throw error;
      },
    );
    this.#before.set(path, there ? kept : undefined);
  }

  /** Writes beside the path and renames, so that a write that fails leaves what was there. */
  async write(path: string, content: string, mode: number): Promise<void> {
    const temporary = aside(path);
    try {
      const file = await open(temporary, "wx", mode);
      try {
        await file.writeFile(content);
        await file.sync();
      } finally {
        await file.close();
      }
      if (this.#replace) {
        await this.remember(path);
        await rename(temporary, path);
      } else {
        // A link, unlike a rename, never replaces a file that another process has put there since.
        await link(temporary, path);
        this.#before.set(path, undefined);
      }
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** Takes everything back. A folder that another process has put something into stays. */
  async undo(): Promise<void> {
    for (const [path, kept] of this.#before) {
      if (kept === undefined) await rm(path, { force: true });
      else await rename(kept, path);
      // A rename of two names of one file does nothing.
      if (kept !== undefined) await rm(kept, { force: true });
    }
    for (const folder of this.#folders) await rmdir(folder).catch(() => {});
  }

  /** Removes what was kept for {@link undo}. */
  async keep(): Promise<void> {
    for (const kept of this.#before.values()) if (kept !== undefined) await rm(kept, { force: true });
  }
}

function aside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
}
