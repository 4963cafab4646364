import { randomBytes } from "node:crypto";
import { lstat, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CliError } from "./cli-error.js";
import { writeProblem, writeRemedy } from "./config/read-document.js";

/**
 * Puts a file of mode 0600 in place whole: written beside the target, synced, renamed over it, and the folder synced.
 * Nothing but a regular file is replaced.
 *
 * @throws {@link CliError} `FILE`; what `content` throws. What was there before is then still there, and nothing beside it.
 */
export async function writeSecretFile(path: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
  const aside = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  const source = new Source(content);
  try {
    // A rename would put a file in the place of a device or of a link.
    const there = await lstat(path).catch(() => undefined);
    if (there !== undefined && !there.isFile()) throw new Error("it is there, and no regular file");
    const file = await open(aside, "wx", 0o600);
    try {
      await file.writeFile(source.bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
    const folder = await open(dirname(path), "r");
    await folder.sync().finally(() => folder.close());
  } catch (cause) {
    await rm(aside, { force: true });
    if (source.failure !== undefined) throw source.failure.error;
    throw new CliError(
      "FILE",
      `the file ${path} cannot be written: ${writeProblem(cause)}`,
      { path },
      { cause, remedy: writeRemedy(cause) },
    );
  }
}

/** Keeps what the content itself failed with apart from what writing failed with. */
class Source {
  readonly bytes: Uint8Array | AsyncIterable<Uint8Array>;
  failure: { readonly error: unknown } | undefined;

  constructor(content: Uint8Array | AsyncIterable<Uint8Array>) {
    this.bytes = content instanceof Uint8Array ? content : this.#watched(content);
  }

  async *#watched(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* content;
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }
}
