import { resolve } from "node:path";
import type { Command } from "commander";
import { readAtMost } from "./bounded-file.js";
import { CliError } from "./cli-error.js";
import { fileProblem } from "./config/read-document.js";
import type { CommandContext } from "./context.js";

export interface PayloadOptions {
  readonly file?: string;
}

/** Declares the operand `name` and `--file`, the two ways to give bytes. */
export function declarePayload(command: Command, name: string, what: string): void {
  command
    .argument(`[${name}]`, `${what}, as text; - or nothing reads standard input`)
    .option("--file <path>", `read ${what} from a file, byte for byte; - is standard input`);
}

/**
 * The bytes a command works on: the operand as UTF-8, a file, or standard input, unchanged to the last byte.
 *
 * @throws {@link CliError} `USAGE` when they are given twice or not at all, `FILE`, `TOO_LARGE` above `limit` bytes.
 */
export async function readPayload(
  operands: readonly string[],
  options: PayloadOptions,
  context: CommandContext,
  limit: number,
): Promise<Uint8Array> {
  const [operand] = operands;
  if (operand !== undefined && options.file !== undefined) {
    throw new CliError("USAGE", "the payload is given twice: as an argument and with --file", { flag: "--file" });
  }
  const source = options.file ?? operand;
  if (source !== undefined && source !== "-") {
    const bytes =
      options.file === undefined ? new TextEncoder().encode(operand) : await readBytes(source, context.cwd, limit);
    if (bytes === undefined || bytes.length > limit) throw tooLarge(limit);
    return bytes;
  }
  if (source === undefined && context.stdin.isTTY) {
    throw new CliError(
      "USAGE",
      "there is no payload",
      {},
      { remedy: "give it as an argument, with --file, or on standard input with -" },
    );
  }
  return readStdin(context, limit);
}

async function readBytes(path: string, cwd: string, limit: number): Promise<Uint8Array | undefined> {
  try {
    return await readAtMost(resolve(cwd, path), limit);
  } catch (error) {
    throw new CliError(
      "FILE",
      `the file ${path} cannot be read: ${fileProblem(error)}`,
      { path },
      {
        cause: error,
        remedy: "check the path and its permissions",
      },
    );
  }
}

async function readStdin({ stdin, signal }: CommandContext, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const iterator = stdin[Symbol.asyncIterator]();
  const interrupted = new Promise<never>((_, reject) => {
    const stop = (): void => reject(new CliError("DEADLINE", "interrupted while reading standard input", {}));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), interrupted]);
      if (next.done) break;
      chunks.push(next.value);
      length += next.value.length;
      if (length > limit) throw tooLarge(limit);
    }
  } finally {
    // Not awaited: a read that was interrupted never ends.
    void iterator.return?.();
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function tooLarge(limit: number): CliError {
  return new CliError(
    "TOO_LARGE",
    `the payload is larger than ${limit} bytes`,
    {},
    {
      remedy: "send less: for a large file sign its digest; 'basil seal' encrypts data of any size",
    },
  );
}
