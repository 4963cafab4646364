import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CliError } from "./cli-error.js";
import { fileProblem } from "./config/read-document.js";

/**
 * Puts a file of mode 0600 in place whole: written beside the target, synced, renamed over it, and the folder synced.
 *
 * @throws {@link CliError} `FILE`; what was there before is then still there.
 */
export async function writeSecretFile(path: string, content: Uint8Array): Promise<void> {
  const aside = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const file = await open(aside, "wx", 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
    const folder = await open(dirname(path), "r");
    await folder.sync().finally(() => folder.close());
  } catch (cause) {
    await rm(aside, { force: true });
    throw new CliError(
      "FILE",
      `the file ${path} cannot be written: ${fileProblem(cause)}`,
      { path },
      { cause, remedy: "check the folder and its permissions" },
    );
  }
}
