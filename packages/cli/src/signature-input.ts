import { CliError } from "./cli-error.js";
import type { CommandContext } from "./context.js";
import { readPayload } from "./payload.js";
import { isTextFormat, type SignatureEncoding, type SignatureFormat } from "./signature-format.js";

const MAX_SIGNATURE_BYTES = 64 * 1024;

export interface SignatureOptions {
  readonly signature?: string;
  readonly signatureFile?: string;
  readonly format: SignatureFormat;
  readonly encoding?: SignatureEncoding;
}

/**
 * The bytes of a signature that is given on the command line or in a file.
 *
 * @throws {@link CliError} `USAGE` when it is given twice, not at all, or not in its encoding; `FILE`; `TOO_LARGE`.
 */
export async function readSignature(options: SignatureOptions, context: CommandContext): Promise<Uint8Array> {
  const { signature, signatureFile, format, encoding = "hex" } = options;
  if (signature !== undefined && signatureFile !== undefined) {
    throw new CliError("USAGE", "the signature is given twice: with --signature and with --signature-file", {
      flag: "--signature-file",
    });
  }
  if (signatureFile === undefined) {
    if (signature === undefined) {
      throw new CliError("USAGE", "required option '--signature <hex>' not specified", { flag: "--signature" });
    }
    if (isTextFormat(format)) return new TextEncoder().encode(signature);
    if (encoding === "bin") {
      throw new CliError("USAGE", "--encoding bin is for --signature-file alone", { flag: "--encoding" });
    }
    return decode(signature, encoding, "--signature");
  }
  if (signatureFile === "-") {
    throw new CliError("USAGE", "standard input is for the message, not the signature", { flag: "--signature-file" });
  }
  const bytes = await readPayload([], { file: signatureFile }, context, MAX_SIGNATURE_BYTES);
  if (isTextFormat(format) || encoding === "bin") return bytes;
  return decode(new TextDecoder().decode(bytes).trim(), encoding, "--signature-file");
}

function decode(text: string, encoding: "hex" | "base64", flag: string): Uint8Array {
  const bytes = Buffer.from(text, encoding);
  // Buffer stops at what it does not know, so only text that comes back unchanged was of this encoding.
  if (bytes.toString(encoding) === (encoding === "hex" ? text.toLowerCase() : text)) return new Uint8Array(bytes);
  const allowed = encoding === "hex" ? "It is not hex: pairs of 0-9 and a-f." : "It is not base64.";
  throw new CliError(
    "USAGE",
    `${flag} does not hold a signature. ${allowed}`,
    { flag },
    { remedy: "give it as 'basil sign' prints it; --encoding and --format say in which form" },
  );
}
