import { writeFile } from "node:fs/promises";
import { CliError } from "../cli-error.js";
import { writeProblem } from "../config/read-document.js";

/** Writes a file that is meant to be handed around, such as a deposit recipient; replaces what was there. */
export async function writePublicFile(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  try {
    await writeFile(path, content, { mode });
  } catch (cause) {
    throw new CliError(
      "FILE",
      `${path} cannot be written: ${writeProblem(cause)}`,
      { path },
      { cause, remedy: "check the path and its permissions" },
    );
  }
}
