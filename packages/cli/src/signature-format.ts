import type { CallOptions, Client, KeyTypeName } from "@basil/client";
import { type Command, Option } from "commander";
import { CliError } from "./cli-error.js";
import { nonEmpty } from "./option-values.js";

export const SIGNATURE_FORMATS = ["raw", "der", "jws", "sshsig"] as const;
export type SignatureFormat = (typeof SIGNATURE_FORMATS)[number];

export const SIGNATURE_ENCODINGS = ["hex", "base64", "bin"] as const;
export type SignatureEncoding = (typeof SIGNATURE_ENCODINGS)[number];

/** What an SSH signature is bound to. */
export interface SshsigOptions {
  readonly namespace?: string;
  readonly hash?: "sha512" | "sha256";
}

/** A form whose signatures are text, and have no other encoding. */
export function isTextFormat(format: SignatureFormat): format is "jws" | "sshsig" {
  return format === "jws" || format === "sshsig";
}

export function declareNamespace(command: Command): void {
  command.option("--namespace <name>", "what an sshsig is for, e.g. file or git; valid for nothing else", namespaceOf);
}

/** @throws {@link CliError} `USAGE` for flags that are missing with this form, or not for it. */
export function requireFormatFlags(
  format: SignatureFormat,
  { namespace, hash, encoding }: SshsigOptions & { readonly encoding?: SignatureEncoding },
): void {
  const usage = (message: string, flag: string, remedy: string): CliError =>
    new CliError("USAGE", message, { flag }, { remedy });
  if (format === "sshsig" && namespace === undefined) {
    throw usage(
      "--namespace is missing, which --format sshsig needs",
      "--namespace",
      "say what the signature is for, e.g. --namespace file, or git for commits and tags",
    );
  }
  if (isTextFormat(format) && encoding !== undefined) {
    throw usage(`--encoding is not for --format ${format}, which is text`, "--encoding", "leave --encoding out");
  }
  for (const [flag, value] of [
    ["--namespace", namespace],
    ["--hash", hash],
  ] as const) {
    if (format !== "sshsig" && value !== undefined) {
      throw usage(`${flag} is for --format sshsig alone`, flag, `leave ${flag} out, or add --format sshsig`);
    }
  }
}

/** `--hash`, of SSH signatures. */
export function hashOption(): Option {
  return new Option("--hash <name>", "what an sshsig hashes the message with (default: sha512)").choices([
    "sha512",
    "sha256",
  ]);
}

function namespaceOf(value: string): string {
  nonEmpty(value);
  if (!/\p{Cc}/u.test(value)) return value;
  throw new CliError("USAGE", "--namespace has a control character", { flag: "--namespace" });
}

/**
 * The type of a key, as the broker tells it.
 *
 * @throws {@link CliError} `DENIED` for a caller who may not know it.
 */
export async function keyTypeOf(client: Client, keyId: string, call: CallOptions): Promise<KeyTypeName> {
  const items = await client.listCatalog({ ...call, prefix: keyId });
  const keyType = items.find(({ name }) => name === keyId)?.keyType;
  if (keyType !== undefined) return keyType;
  throw new CliError(
    "DENIED",
    `the type of key ${keyId} is not told to you`,
    {},
    {
      remedy: "this form needs op:list or op:get_public_key on the key; leave --format out for the bare signature",
    },
  );
}
