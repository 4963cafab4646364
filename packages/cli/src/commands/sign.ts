import { Option } from "commander";
import { type BrokerOptions, declareBroker, MAX_PAYLOAD_BYTES, withBroker } from "../broker-call.js";
import { CliError } from "../cli-error.js";
import { defineCommand } from "../command.js";
import { toHex } from "../hex.js";
import { nonEmpty } from "../option-values.js";
import { declarePayload, type PayloadOptions, readPayload } from "../payload.js";
import {
  declareNamespace,
  hashOption,
  isTextFormat,
  requireFormatFlags,
  SIGNATURE_ENCODINGS,
  SIGNATURE_FORMATS,
  type SignatureEncoding,
  type SignatureFormat,
  type SshsigOptions,
} from "../signature-format.js";

interface SignOptions extends BrokerOptions, PayloadOptions, SshsigOptions {
  readonly keyId: string;
  readonly format: SignatureFormat;
  readonly encoding?: SignatureEncoding;
  readonly json?: boolean;
}

interface SignReport {
  readonly key_id: string;
  readonly format: SignatureFormat;
  readonly encoding: SignatureEncoding;
  readonly signature: Uint8Array;
}

export const sign = defineCommand<SignOptions, SignReport>({
  name: "sign",
  summary: "sign a message with a key of the catalog; prints the signature in hex",
  examples: [
    "basil sign --key-id jwt.signing.primary 'the message'",
    "basil sign --key-id jwt.signing.primary --file release.tar.sha256",
    "basil sign --key-id jwt.signing.primary --format der --encoding bin --file message > message.sig",
    "basil sign --key-id release.signing --format sshsig --namespace file --file release.tar > release.tar.sig",
  ],
  declare(command) {
    command
      .requiredOption("--key-id <name>", "the key's name in the catalog", nonEmpty)
      .addOption(
        new Option(
          "--format <format>",
          "raw is r ‖ s or 64 bytes, der is ASN.1, jws is a compact JSON Web Signature, sshsig is what ssh-keygen and git verify",
        )
          .choices(SIGNATURE_FORMATS)
          .default("raw"),
      )
      .addOption(new Option("--encoding <encoding>", "of raw and der (default: hex)").choices(SIGNATURE_ENCODINGS));
    declareNamespace(command);
    command.addOption(hashOption());
    declarePayload(command, "payload", "the message to sign");
    declareBroker(command);
  },
  async run({ options, operands }, context) {
    const { keyId, format, encoding } = options;
    requireFormatFlags(format, options);
    if (encoding === "bin" && !options.json && context.terminal.isTerminal) {
      const remedy = "send it to a file with > FILE, or choose --encoding hex or base64";
      throw new CliError(
        "USAGE",
        "--encoding bin writes bytes, and standard output is a terminal",
        { flag: "--encoding" },
        { remedy },
      );
    }
    const message = await readPayload(operands, options, context, MAX_PAYLOAD_BYTES);
    const { signAs } = await import("../sign-as.js");
    const signature = await withBroker(options, context, (client, call) =>
      signAs(format, client, keyId, message, { call, sshsig: options, warn: context.terminal.err }),
    );
    return { key_id: keyId, format, encoding: encoding ?? "hex", signature };
  },
  render({ format, encoding, signature }, { out, outBytes }) {
    if (!isTextFormat(format) && encoding === "bin") outBytes(signature);
    else out(textOf(signature, format, encoding).trimEnd());
  },
  json: ({ key_id, format, encoding, signature }) => ({
    key_id,
    // As it always was: the plain form is not named.
    ...(format !== "raw" && { format }),
    signature: textOf(signature, format, encoding === "bin" ? "hex" : encoding),
  }),
});

function textOf(signature: Uint8Array, format: SignatureFormat, encoding: SignatureEncoding): string {
  if (isTextFormat(format)) return new TextDecoder().decode(signature);
  return encoding === "base64" ? Buffer.from(signature).toString("base64") : toHex(signature);
}
