import { resolve } from "node:path";
import { readAtMost } from "../bounded-file.js";
import { CliError } from "../cli-error.js";

/** Documents are small: a catalog of ten thousand keys is about 4 MB. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Reads a file named by the operator; relative paths are taken from `cwd`.
 *
 * @param what - What the file is, for the message: "catalog", "configuration".
 * @throws {@link CliError} `FILE`.
 */
export async function readDocument(path: string, what: string, cwd: string): Promise<Uint8Array> {
  try {
    const bytes = await readAtMost(resolve(cwd, path), MAX_BYTES);
    if (bytes !== undefined) return bytes;
  } catch (error) {
    throw new CliError(
      "FILE",
      `the ${what} ${path} cannot be read: ${fileProblem(error)}`,
      { path },
      {
        cause: error,
        remedy: "check the path and its permissions",
      },
    );
  }
  throw new CliError(
    "FILE",
    `the ${what} ${path} is larger than ${MAX_BYTES} bytes`,
    { path },
    {
      remedy: "check that the path names the right file",
    },
  );
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of the path is not a directory",
  ELOOP: "too many symbolic links",
  ENAMETOOLONG: "the path is too long",
  EEXIST: "it exists already",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota of this user is used up",
  EROFS: "the file system is read-only",
};

/** What went wrong with a file that was to be written, in words. */
export function writeProblem(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code === "ENOENT"
    ? "there is no such folder"
    : fileProblem(error);
}

/** What to do about a file that could not be written. */
export function writeRemedy(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? "";
  return ["ENOSPC", "EDQUOT"].includes(code)
    ? "free some space there, or name a folder on another disk, and run the command again"
    : "check the folder and its permissions";
}

/** What went wrong with a file, in words. */
export function fileProblem(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return PROBLEMS[code ?? ""] ?? (error instanceof Error ? error.message : String(error));
}
