import { createInterface, type Interface } from "node:readline";
import { CliError } from "../cli-error.js";
import type { CommandContext } from "../context.js";

/** Asks a person at the terminal, one line an answer. Nothing else may read standard input meanwhile. */
export class Questions implements Disposable {
  readonly #context: CommandContext;
  readonly #lines: Interface;
  readonly #answers: AsyncIterator<string>;

  constructor(context: CommandContext) {
    this.#context = context;
    this.#lines = createInterface({ input: context.stdin as unknown as NodeJS.ReadableStream });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  /**
   * Asks until `read` takes the answer; an empty one is the default.
   *
   * @throws {@link CliError} `DEADLINE` at Ctrl-C and at the end of the input.
   */
  async ask<T>(what: string, byDefault: string | undefined, read: (answer: string) => T): Promise<T> {
    const { err, errColors } = this.#context.terminal;
    for (;;) {
      err(`${what}${byDefault === undefined || byDefault === "" ? "" : ` [${byDefault}]`}:`);
      const answer = (await this.#next()).trim();
      try {
        return read(answer === "" ? (byDefault ?? "") : answer);
      } catch (error) {
        if (!(error instanceof CliError)) throw error;
        err(`${errColors.yellow("again:")} ${error.message}`);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#lines.close();
  }

  async #next(): Promise<string> {
    const { signal } = this.#context;
    const interrupted = (): CliError =>
      new CliError("DEADLINE", "interrupted at a question", {}, { remedy: "run it again; nothing was written" });
    const stopped = new Promise<never>((_, reject) => {
      if (signal.aborted) reject(interrupted());
      else signal.addEventListener("abort", () => reject(interrupted()), { once: true });
    });
    const next = await Promise.race([this.#answers.next(), stopped]);
    if (next.done) throw interrupted();
    return next.value;
  }
}
