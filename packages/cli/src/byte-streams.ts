import { open } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import { CliError } from "./cli-error.js";
import { fileProblem } from "./config/read-document.js";
import type { CommandContext } from "./context.js";
import { nonEmpty } from "./option-values.js";
import { writeSecretFile } from "./secret-file.js";

export interface ByteStreamOptions {
  readonly file?: string;
  readonly outFile?: string;
}

/** Declares where bytes of any length come from and go to. */
export function declareByteStreams(command: Command, input: string, output: string): void {
  command
    .option("--file <path>", `read ${input} from a file (default: standard input)`, nonEmpty)
    .option(
      "-o, --out-file <path>",
      `write ${output} to a file of mode 0600, which is there only when all of it is; - is standard output, a terminal too`,
      nonEmpty,
    );
}

/** Where the bytes come from, and how to let go of it. */
export interface ByteInput {
  readonly bytes: AsyncIterable<Uint8Array>;
  close(): void;
}

/** @throws {@link CliError} `FILE`, reading too; `USAGE` when a terminal is all there is. */
export async function byteInput({ file }: ByteStreamOptions, { stdin, cwd }: CommandContext): Promise<ByteInput> {
  if (file === undefined || file === "-") {
    if (stdin.isTTY) {
      const remedy = "give a file with --file, or send one with <";
      throw new CliError("USAGE", "there is no input", {}, { remedy });
    }
    // A read that hangs would keep the process alive.
    return { bytes: stdin, close: () => stdin.destroy?.() };
  }
  const handle = await open(resolve(cwd, file)).catch((cause) => {
    throw unreadable(file, cause);
  });
  // A folder opens, and fails when it is read: after the first bytes of the result were written.
  if ((await handle.stat()).isDirectory()) {
    await handle.close();
    throw unreadable(file, Object.assign(new Error("read"), { code: "EISDIR" }));
  }
  const stream = handle.createReadStream();
  return { bytes: readable(stream, file), close: () => void stream.destroy() };
}

async function* readable(stream: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* stream;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): CliError<"FILE"> {
  const message = `the file ${path} cannot be read: ${fileProblem(cause)}`;
  return new CliError("FILE", message, { path }, { cause, remedy: "check the path and its permissions" });
}

/** @throws {@link CliError} `USAGE` when bytes that are no text would go to a terminal. */
export function requireByteOutput({ outFile }: ByteStreamOptions, { terminal }: CommandContext): void {
  if (outFile !== undefined || !terminal.isTerminal) return;
  const remedy = "send them to a file with -o FILE or >, or on with |; -o - writes them here";
  throw new CliError(
    "USAGE",
    "the result is bytes, and standard output is a terminal",
    { flag: "--out-file" },
    { remedy },
  );
}

/**
 * Writes the bytes where the options say.
 *
 * @returns how many; undefined when standard output takes no more, which the program tells by itself.
 * @throws {@link CliError} `FILE`; what `bytes` throws.
 */
export async function writeBytes(
  bytes: AsyncIterable<Uint8Array>,
  { outFile }: ByteStreamOptions,
  { terminal, cwd }: CommandContext,
): Promise<number | undefined> {
  let written = 0;
  using _ = terminal.working(() => `${Math.floor(written / 1e6)} MB written`);
  const counted = async function* () {
    for await (const chunk of bytes) {
      yield chunk;
      written += chunk.length;
    }
  };
  if (outFile !== undefined && outFile !== "-") {
    await writeSecretFile(resolve(cwd, outFile), counted());
    return written;
  }
  for await (const chunk of counted()) {
    const taken = await terminal.outBytesHandedOver(chunk).then(
      () => true,
      () => false,
    );
    if (!taken) return undefined;
  }
  return written;
}
