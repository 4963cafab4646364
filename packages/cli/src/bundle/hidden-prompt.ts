import { closeSync, openSync } from "node:fs";
import { ReadStream, WriteStream } from "node:tty";
import { CliError } from "../cli-error.js";
import type { Terminal } from "../terminal.js";

const MAX_BYTES = 1024;

export interface HiddenPromptOptions {
  /** Asks a second time and refuses when the answers differ. */
  readonly confirm: boolean;
  /** How often two answers may differ and be asked for again (1: a difference is an error). */
  readonly attempts?: number;
  readonly signal: AbortSignal;
  readonly terminal: Pick<Terminal, "asking">;
}

/** Asks on the controlling terminal, whatever the standard streams are, and shows nothing of the answer. */
export async function askHidden(what: string, options: HiddenPromptOptions): Promise<Uint8Array> {
  const { attempts = 1, confirm, signal, terminal } = options;
  using _ = terminal.asking();
  const input = terminalStream((fd) => new ReadStream(fd), "r");
  const output = terminalStream((fd) => new WriteStream(fd), "w");
  const ask = (question: string): Promise<Uint8Array> => {
    output.write(question);
    return readLine(input, signal).finally(() => output.write("\r\n"));
  };
  try {
    // Before the first question and until the last answer: what is typed ahead must not be echoed.
    input.setRawMode(true);
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const first = await ask(`${what}: `);
      if (!confirm) return first;
      const second = await ask(`${what}, again: `);
      const same = Buffer.from(first.buffer, first.byteOffset, first.length).equals(second);
      second.fill(0);
      if (same) return first;
      first.fill(0);
      if (attempt < attempts) output.write("the two answers differ; type it again\r\n");
    }
    throw new CliError("FAILED", "the two answers differ", {}, { remedy: "run the command again" });
  } finally {
    input.setRawMode(false);
    input.destroy();
    output.destroy();
  }
}

function readLine(input: ReadStream, signal: AbortSignal): Promise<Uint8Array> {
  const typed = new Uint8Array(MAX_BYTES);
  let length = 0;
  return new Promise((resolve, reject) => {
    const fail = (error: CliError): void => {
      typed.fill(0);
      input.off("data", take);
      reject(error);
    };
    const interrupted = (): void => fail(new CliError("DEADLINE", "interrupted at the prompt", {}));
    const take = (chunk: Buffer): void => {
      for (const byte of chunk) {
        if (byte === 0x0d || byte === 0x0a) {
          signal.removeEventListener("abort", interrupted);
          input.off("data", take);
          resolve(typed.slice(0, length));
          typed.fill(0);
          break;
        }
        // What a terminal in raw mode sends for Ctrl-C and Ctrl-D.
        if (byte === 0x03 || byte === 0x04) {
          interrupted();
          break;
        }
        if (byte === 0x7f || byte === 0x08) length = beforeLastCharacter(typed, length);
        else if (length < MAX_BYTES) typed[length++] = byte;
      }
      chunk.fill(0);
    };
    input.on("data", take);
    input.on("error", (cause) => fail(new CliError("FAILED", "the terminal cannot be read", {}, { cause })));
    if (signal.aborted) interrupted();
    else signal.addEventListener("abort", interrupted, { once: true });
  });
}

/** Steps over the continuation bytes of UTF-8 (10xxxxxx), so that one stroke erases one character. */
function beforeLastCharacter(typed: Uint8Array, length: number): number {
  let at = length;
  while (at > 0) {
    at -= 1;
    if (((typed[at] as number) & 0xc0) !== 0x80) break;
  }
  return at;
}

function terminalStream<Stream>(make: (fd: number) => Stream, flags: string): Stream {
  let fd: number;
  try {
    fd = openSync("/dev/tty", flags);
  } catch (cause) {
    throw new CliError(
      "FAILED",
      "there is no terminal to ask on",
      {},
      { cause, remedy: "give the secret with file=FILE, fd=N or stdin=true" },
    );
  }
  try {
    return make(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
