import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { BundleError, readSecretFile, trimNewline } from "@basil/bundle";
import type { CommandContext } from "../context.js";
import { readPayload } from "../payload.js";
import { askHidden } from "./hidden-prompt.js";

const MAX_SECRET_BYTES = 64 << 10;
const SOURCES = ["file", "fd", "env", "prompt", "stdin"] as const;

/** Reads secrets from where specs say, and zeroes them all when it is disposed of. */
export class SecretSource implements Disposable {
  readonly #context: CommandContext;
  readonly #held: Uint8Array[] = [];
  #stdinRead = false;

  constructor(context: CommandContext) {
    this.#context = context;
  }

  /** True when the secret is what somebody types, now. */
  static isAsked(fields: ReadonlyMap<string, string>): boolean {
    return fields.has("prompt") || fields.has("stdin");
  }

  /**
   * The secret of a passphrase or bip39 spec, without the newline an editor leaves at its end.
   * @param confirm - Asks twice at a prompt, as is right for a secret that is being set.
   */
  async read(flag: string, fields: ReadonlyMap<string, string>, what: string, confirm: boolean): Promise<Uint8Array> {
    const named = SOURCES.filter((source) => fields.has(source));
    const [source] = named;
    if (source === undefined || named.length > 1) {
      const found = source === undefined ? "none is given" : `${named.join(" and ")} are given`;
      const needed = "exactly one of file=FILE, fd=N, env=NAME, prompt=true, stdin=true is needed";
      throw new BundleError("SPEC_INVALID", `${flag}: ${needed}; ${found}`, { flag, field: "file", missing: true });
    }
    const value = fields.get(source) as string;
    return this.#keep(trimNewline(await this.#readFrom(flag, source, value, what, confirm)));
  }

  /** The bytes of a file a spec names, unchanged. */
  async readFile(path: string, options: { readonly private: boolean }): Promise<Uint8Array> {
    return this.#keep(await readSecretFile(resolve(this.#context.cwd, path), options));
  }

  [Symbol.dispose](): void {
    for (const secret of this.#held) secret.fill(0);
  }

  async #readFrom(
    flag: string,
    source: (typeof SOURCES)[number],
    value: string,
    what: string,
    confirm: boolean,
  ): Promise<Uint8Array> {
    switch (source) {
      case "file":
        return this.#keep(await readSecretFile(resolve(this.#context.cwd, value)));
      case "fd":
        return this.#keep(await readDescriptor(flag, value));
      case "env":
        return new TextEncoder().encode(this.#variable(flag, value));
      case "prompt":
        requireTrue(flag, source, value);
        return this.#keep(
          await askHidden(what, { confirm, signal: this.#context.signal, terminal: this.#context.terminal }),
        );
      case "stdin":
        requireTrue(flag, source, value);
        if (this.#stdinRead) throw invalid(flag, source, "standard input can give one secret only");
        this.#stdinRead = true;
        return this.#keep(await readPayload([], { file: "-" }, this.#context, MAX_SECRET_BYTES));
    }
  }

  #variable(flag: string, name: string): string {
    const value = this.#context.env[name];
    if (value === undefined) throw invalid(flag, "env", `the environment has no variable ${name}`);
    return value;
  }

  #keep(secret: Uint8Array): Uint8Array {
    this.#held.push(secret);
    return secret;
  }
}

async function readDescriptor(flag: string, text: string): Promise<Uint8Array> {
  const fd = Number(text);
  if (!/^\d{1,6}$/.test(text)) throw invalid(flag, "fd", `fd is "${text}", not a file descriptor number`);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of createReadStream("", { fd, autoClose: false })) {
      chunks.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length > MAX_SECRET_BYTES) {
        const limit = { field: "fd", limit: MAX_SECRET_BYTES, actual: length };
        throw new BundleError("LIMIT", `${flag}: descriptor ${fd} gives over ${MAX_SECRET_BYTES} bytes`, limit);
      }
    }
    return new Uint8Array(Buffer.concat(chunks));
  } catch (cause) {
    if (cause instanceof BundleError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BundleError(
      "SPEC_INVALID",
      `${flag}: descriptor ${fd} cannot be read: ${why}`,
      { flag, field: "fd" },
      { cause },
    );
  } finally {
    for (const chunk of chunks) chunk.fill(0);
  }
}

function requireTrue(flag: string, field: string, value: string): void {
  if (value !== "true") throw invalid(flag, field, `${field} is "${value}"; only ${field}=true is allowed`);
}

function invalid(flag: string, field: string, problem: string): BundleError<"SPEC_INVALID"> {
  return new BundleError("SPEC_INVALID", `${flag}: ${problem}`, { flag, field });
}
