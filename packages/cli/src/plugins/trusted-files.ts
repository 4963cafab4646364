import type { Stats } from "node:fs";
import { lstat, readdir, readlink, realpath } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";

/** Why code at a path is not run, and what makes it so. */
export interface Distrust {
  readonly path: string;
  /** A clause: "… belongs to uid 1000, …". */
  readonly problem: string;
  readonly remedy: string;
}

const ROOT_UID = 0;
const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;
/** More are a loop (path_resolution(7)). */
const MAX_LINKS = 40;
/** What npm, pnpm and yarn link: packages, and the programs of packages in `.bin`. */
const LINKED_PACKAGE = /\/node_modules\/(?:@[^/]+\/|\.bin\/)?[^/]+$/;
/** Files and folders of all packages together. */
const MAX_ENTRIES = 100_000;

/**
 * Looks who could change files that are to be run or believed: nobody but root and this user may. Somebody who may write
 * one of the folders could still change them after this look.
 */
export class TrustedFiles {
  readonly #uid: number;
  readonly #seen = new Set<string>();
  /** Folders that a link led to. */
  readonly #linked = new Set<string>();
  #entries = 0;

  /** @param uid - Of this user. */
  constructor(uid: number) {
    this.#uid = uid;
  }

  /** The first entry on the way from the root to `path`, links followed, that somebody else could change. */
  async distrustOf(path: string): Promise<Distrust | undefined> {
    return this.#walk(resolve(path), 0);
  }

  /**
   * The same for everything in a folder besides, where its links lead to included: what belongs to a package is one of its
   * files, whichever is imported. A link in a `node_modules` is another package, of which only the way to it is looked at.
   */
  async distrustOfTree(folder: string): Promise<Distrust | undefined> {
    const root = resolve(folder);
    const found = (await this.distrustOf(root)) ?? (await this.#tree(root));
    if (found === undefined || (found.path !== root && !found.path.startsWith(`${root}${sep}`))) return found;
    // Where one file of a package is so, the others most likely are.
    return { ...found, remedy: found.remedy.replace(/^(chmod|chown) (\S+) .*/, `$1 -R $2 ${root}`) };
  }

  async #walk(absolute: string, links: number): Promise<Distrust | undefined> {
    const names = absolute.split(sep).filter(Boolean);
    let at: string = sep;
    for (const [index, name] of names.entries()) {
      at = join(at, name);
      const last = index === names.length - 1;
      const stats = await look(at);
      if (stats === undefined) return unreadable(at);
      // A sticky folder may lie on the way, and may not be what is looked for.
      const seenAs = last ? at : join(at, sep);
      if (!this.#seen.has(seenAs)) {
        const problem = this.#judge(at, stats, { asFolderOnTheWay: !last });
        if (problem !== undefined) return problem;
        this.#seen.add(seenAs);
      }
      if (!stats.isSymbolicLink()) continue;
      const target = await readlink(at).catch(() => undefined);
      if (target === undefined || links >= MAX_LINKS) return unreadable(at);
      return this.#walk(resolve(dirname(at), target, ...names.slice(index + 1)), links + 1);
    }
    return undefined;
  }

  async #tree(folder: string): Promise<Distrust | undefined> {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
    if (entries === undefined) return unreadable(folder);
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (++this.#entries > MAX_ENTRIES) return tooMany(folder);
      const stats = await look(path);
      if (stats === undefined) return unreadable(path);
      const found = stats.isSymbolicLink() ? await this.#walk(path, 0) : this.#judge(path, stats);
      if (found !== undefined) return found;
      const below = stats.isDirectory() ? await this.#tree(path) : await this.#linkedTree(path, stats);
      if (below !== undefined) return below;
    }
    return undefined;
  }

  async #linkedTree(path: string, stats: Stats): Promise<Distrust | undefined> {
    if (!stats.isSymbolicLink() || LINKED_PACKAGE.test(path)) return undefined;
    const target = await realpath(path).catch(() => undefined);
    const reached = target === undefined ? undefined : await look(target);
    if (target === undefined || reached === undefined) return unreadable(path);
    if (!reached.isDirectory() || this.#linked.has(target)) return undefined;
    this.#linked.add(target);
    return this.#tree(target);
  }

  #judge(path: string, stats: Stats, { asFolderOnTheWay = false } = {}): Distrust | undefined {
    const { uid, mode } = stats;
    if (uid !== ROOT_UID && uid !== this.#uid) {
      const problem = `${path} belongs to uid ${uid}, not to root or to this user (uid ${this.#uid})`;
      return { path, problem, remedy: `chown ${this.#uid} ${path}` };
    }
    if (stats.isSymbolicLink() || (mode & OTHERS_WRITE) === 0) return undefined;
    // In a sticky folder, such as /tmp, others can put things of their own and not touch ours (inode(7)).
    if (asFolderOnTheWay && stats.isDirectory() && (mode & STICKY) !== 0) return undefined;
    const shown = (mode & 0o7777).toString(8).padStart(4, "0");
    const who = (mode & 0o002) === 0 ? "its group" : "everyone";
    return { path, problem: `${path} has mode ${shown}: ${who} can write it`, remedy: `chmod go-w ${path}` };
  }
}

async function look(path: string): Promise<Stats | undefined> {
  return lstat(path).catch(() => undefined);
}

function unreadable(path: string): Distrust {
  return { path, problem: `${path} cannot be looked at`, remedy: "check that it is there and can be read" };
}

function tooMany(path: string): Distrust {
  const problem = `${path} and what was looked at before it hold more than ${MAX_ENTRIES} files`;
  return { path, problem, remedy: "install the package with fewer files" };
}
