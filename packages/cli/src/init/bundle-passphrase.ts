import { randomBytes } from "node:crypto";
import { lstat } from "node:fs/promises";
import { askHidden } from "../bundle/hidden-prompt.js";
import { CliError } from "../cli-error.js";
import { fileProblem } from "../config/read-document.js";
import type { CommandContext } from "../context.js";

/** The passphrase file as it is. @throws {@link CliError} `FILE`. */
export async function requirePassphraseFile(path: string): Promise<void> {
  await lstat(path).catch((cause: unknown) => {
    throw new CliError(
      "FILE",
      `the passphrase file ${path} cannot be read: ${fileProblem(cause)}`,
      { path },
      {
        cause,
        remedy: "put the passphrase there first, mode 0600",
      },
    );
  });
}

/**
 * Asks for the passphrase that is to be put into a file that is not there yet; nothing typed means 32 random characters.
 * Undefined when the file is there: it holds the passphrase.
 */
export async function askPassphrase(path: string, context: CommandContext): Promise<Uint8Array | undefined> {
  const there = await lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== "ENOENT",
  );
  if (there) {
    context.terminal.err(`The passphrase is the one in ${path}.`);
    return undefined;
  }
  const { signal, terminal } = context;
  const what = "passphrase of the bundle, or nothing for a random one";
  const typed = await askHidden(what, { confirm: true, attempts: 3, signal, terminal });
  return typed.length > 0 ? typed : new TextEncoder().encode(randomBytes(24).toString("base64url"));
}
