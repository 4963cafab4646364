import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const page = readFileSync(join(import.meta.dirname, "../../docs/backend-aws-kms.md"), "utf8");
const program = join(import.meta.dirname, "../../packages/cli/bin/basil.js");

const blocks = (language: string) => [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))];

/** Every block of commands, as it stands on the page. */
export const commandBlocks: readonly string[] = blocks("sh").map(([, text = ""]) => text);

/** The documents that the page says to save, by file name. */
export const documents: Readonly<Record<string, string>> = Object.fromEntries(
  [...page.matchAll(/Save as `([\w.-]+)`[^\n]*\n\n```json\n([\s\S]*?)```/g)].map(([, name, text]) => [name, text]),
);

/** What the rotator has besides the provisioner's statements: the one document of the page that is a list. */
export const rotatorStatements: readonly object[] = blocks("json")
  .map(([, text = ""]): unknown => JSON.parse(text))
  .flatMap((document) => (Array.isArray(document) ? (document as object[]) : []));

/** The one block with a command that contains `part`. */
export function blockWith(part: string): string {
  const found = commandBlocks.filter((block) => block.includes(part));
  const [block] = found;
  if (block === undefined || found.length > 1) throw new Error(`${found.length} blocks of the page hold ${part}`);
  return block;
}

/** Keeps the id that `aws kms create-key` printed, as a person does who reads it. */
const PRELUDE = `set -e
aws() {
  command aws "$@" > .answer || return
  case "$1 $2" in "kms create-key") created=$(sed -n 's/.*"KeyId": "\\([^"]*\\)".*/\\1/p' .answer) ;; esac
  cat .answer
}
`;

/** A shell in a folder with the page's documents, where `basil` and `aws` are found. */
export async function openShell(folder: string, python: string) {
  for (const [name, text] of Object.entries(documents)) await writeFile(join(folder, name), text);
  const programs = join(folder, ".bin");
  await mkdir(programs);
  await symlink(program, join(programs, "basil"));
  const path = [programs, dirname(python), dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter);
  /** Runs a block to its end; throws, with what it wrote to standard error, when a command of it fails. */
  return async (block: string, env: Readonly<Record<string, string>>): Promise<string> => {
    const filled = block
      .replaceAll("<key-id-from-create-key>", '"$created"')
      .replaceAll("/run/basil/pass", join(folder, "pass"));
    const options = { cwd: folder, env: { ...env, PATH: path, HOME: folder } };
    const { stdout } = await run("/bin/sh", ["-c", PRELUDE + filled], options);
    return stdout;
  };
}
