import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BundleError } from "./errors.js";

const MAX_OUTPUT = 1 << 20;

export interface AgeProgramOptions {
  /** The program, found on PATH when it is a bare name. */
  readonly program: string;
  readonly signal?: AbortSignal;
}

/** Encrypts with `age -r RECIPIENT`; the plaintext goes through a pipe. @throws {@link BundleError} `SLOT_UNAVAILABLE`. */
export async function encryptWithAge(
  recipient: string,
  plaintext: Uint8Array,
  options: AgeProgramOptions,
): Promise<Uint8Array> {
  const { status, output, message } = await run(["--encrypt", "-r", recipient], plaintext, options);
  if (status !== 0) throw unavailable(options.program, message);
  return output;
}

/**
 * Decrypts with `age -d -i -`, the identities through a pipe; without identities with `-j PLUGIN`.
 * @returns Nothing when the program says that no identity matches.
 * @throws {@link BundleError} `SLOT_UNAVAILABLE`.
 */
export async function decryptWithAge(
  file: Uint8Array,
  identity: { readonly identities: Uint8Array } | { readonly plugin: string },
  options: AgeProgramOptions,
): Promise<Uint8Array | undefined> {
  // Standard input carries the identities, which are secret; the age file is not and may lie in a file for a moment.
  const folder = await mkdtemp(join(tmpdir(), "basil-age-"));
  try {
    const path = join(folder, "slot.age");
    await writeFile(path, file, { mode: 0o600 });
    const { status, output, message } =
      "plugin" in identity
        ? await run(["--decrypt", "-j", identity.plugin, path], new Uint8Array(), options)
        : await run(["--decrypt", "-i", "-", path], identity.identities, options);
    if (status === 0) return output;
    output.fill(0);
    if (/no identity matched/.test(message)) return undefined;
    throw unavailable(options.program, message);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Run {
  readonly status: number | null;
  readonly output: Uint8Array;
  readonly message: string;
}

function run(args: readonly string[], input: Uint8Array, { program, signal }: AgeProgramOptions): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], ...(signal && { signal }) });
    const chunks: Buffer[] = [];
    let size = 0;
    let message = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_OUTPUT) child.kill();
      else chunks.push(chunk);
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      if (message.length < 4096) message += chunk.toString("utf8");
    });
    // A program that ends without reading breaks the pipe; its status says why.
    child.stdin?.on("error", () => {});
    child.on("error", (cause) => reject(signal?.aborted ? cause : unavailable(program, cause.message, cause)));
    child.on("close", (status) => {
      const output = new Uint8Array(Buffer.concat(chunks));
      for (const chunk of chunks) chunk.fill(0);
      resolve({ status, output, message: message.trim() });
    });
    child.stdin?.end(input);
  });
}

function unavailable(program: string, why: string, cause?: unknown): BundleError<"SLOT_UNAVAILABLE"> {
  const oneLine = why.replace(/\s+/g, " ").slice(0, 400);
  return new BundleError(
    "SLOT_UNAVAILABLE",
    `the ${program} program cannot be used: ${oneLine}`,
    { kind: "age" },
    { cause },
  );
}
