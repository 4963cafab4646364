import type { Stats } from "node:fs";
import { lstat, readlink } from "node:fs/promises";
import { dirname, isAbsolute, resolve, sep } from "node:path";
import { ClientError } from "./errors.js";

/** More are a loop (path_resolution(7)). */
const MAX_LINKS = 40;
const ROOT_UID = 0;
const OTHERS_WRITE = 0o022;

/**
 * Whether nobody but root, ourselves and the user of the broker could have put the socket at this path: an entry is theirs,
 * or lies in a folder that no one but its owner can write; the socket then has that owner. What is not there is left to
 * the connection to report. Somebody who may write one of the folders can still change it after this look.
 *
 * @param brokerUid - The user a broker is expected to run as, besides root and ourselves.
 * @throws {@link ClientError} `UNTRUSTED_SOCKET`
 */
export async function requireTrustedPath(path: string, brokerUid?: number): Promise<void> {
  const self = process.geteuid?.();
  if (self === undefined) return;
  const walk = new Walk(path, new Set([ROOT_UID, self, ...(brokerUid === undefined ? [] : [brokerUid])]));
  await walk.follow(resolve(path));
}

class Walk {
  readonly #path: string;
  readonly #trusted: ReadonlySet<number>;
  #links = 0;

  constructor(path: string, trusted: ReadonlySet<number>) {
    this.#path = path;
    this.#trusted = trusted;
  }

  /** Looks at every entry on the way, from the root on. `..` leads out of the folder that a link led into, as it does for the kernel. */
  async follow(absolute: string): Promise<void> {
    const names = absolute.split(sep).filter((name) => name !== "" && name !== ".");
    let at: string = sep;
    let folder = await look(at);
    for (const [index, name] of names.entries()) {
      if (name === "..") {
        at = dirname(at);
        folder = await look(at);
        continue;
      }
      const entry = at === sep ? `${sep}${name}` : `${at}${sep}${name}`;
      const found = await look(entry);
      if (found === undefined || folder === undefined) return;
      const exclusive = (folder.mode & OTHERS_WRITE) === 0;
      const last = index === names.length - 1;
      const vouched = exclusive && (!last || found.isSymbolicLink() || found.uid === folder.uid);
      if (!vouched && !this.#trusted.has(found.uid)) throw this.#refuse(entry, found.uid);
      if (found.isSymbolicLink()) return this.#followLink(entry, names.slice(index + 1));
      at = entry;
      folder = found;
    }
  }

  async #followLink(link: string, rest: readonly string[]): Promise<void> {
    this.#links += 1;
    const target = await readlink(link).catch(() => undefined);
    if (target === undefined || this.#links > MAX_LINKS) return;
    const from = isAbsolute(target) ? target : `${dirname(link)}${sep}${target}`;
    await this.follow([from, ...rest].join(sep));
  }

  #refuse(entry: string, owner: number): ClientError<"UNTRUSTED_SOCKET"> {
    const whose = entry === this.#path ? "it" : entry;
    const message =
      `the socket ${this.#path} is not trusted: ${whose} belongs to uid ${owner}, not to root or this user; ` +
      `if the broker runs as uid ${owner}, say so with brokerUid`;
    return new ClientError("UNTRUSTED_SOCKET", message, { path: this.#path, entry, owner });
  }
}

async function look(path: string): Promise<Stats | undefined> {
  return lstat(path).catch(() => undefined);
}
