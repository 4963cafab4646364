import { mkdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** Files that are written together: all of them, or what was there before. */
export class PlacedFiles {
  readonly #replace: boolean;
  readonly #before = new Map<string, Uint8Array | undefined>();
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

  /** Remembers what is there, for {@link undo}; to be called before somebody else writes it. */
  async remember(path: string): Promise<void> {
    if (this.#before.has(path)) return;
    const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    this.#before.set(path, content);
  }

  async write(path: string, content: string, mode: number): Promise<void> {
    if (this.#replace) {
      await this.remember(path);
      await writeFile(path, content, { mode });
    } else {
      // What somebody has put there in the meantime is not ours, now and when all is taken back.
      await writeFile(path, content, { mode, flag: "wx" });
      this.#before.set(path, undefined);
    }
  }

  /** Takes everything back. A folder that somebody else has put something into stays. */
  async undo(): Promise<void> {
    for (const [path, content] of this.#before) {
      if (content === undefined) await rm(path, { force: true });
      else await writeFile(path, content);
    }
    for (const folder of this.#folders) await rmdir(folder).catch(() => {});
  }
}
