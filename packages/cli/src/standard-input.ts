import { fstatSync } from "node:fs";
import { CliError } from "./cli-error.js";

const STDIN = 0;

/**
 * Standard input of a process. A folder there, as by `basil sign < .`, is to Node a stream without content, and nothing
 * would be signed in place of what was meant.
 *
 * @throws {@link CliError} `FILE`.
 */
export function standardInput(process: Pick<NodeJS.Process, "stdin">): NodeJS.Process["stdin"] {
  if (!isFolder(STDIN)) return process.stdin;
  const remedy = "send a file with <, or the output of a command with |";
  throw new CliError("FILE", "standard input cannot be read: it is a directory", { path: "-" }, { remedy });
}

function isFolder(fd: number): boolean {
  try {
    return fstatSync(fd).isDirectory();
  } catch {
    // Closed: Node tells, or reads nothing.
    return false;
  }
}
