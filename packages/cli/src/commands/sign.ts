import { Option } from "commander";
import { type BrokerOptions, declareBroker, MAX_PAYLOAD_BYTES, withBroker } from "../broker-call.js";
import { CliError } from "../cli-error.js";
import { defineCommand } from "../command.js";
import { toHex } from "../hex.js";
import { nonEmpty } from "../option-values.js";
import { declarePayload, type PayloadOptions, readPayload } from "../payload.js";
import { SIGNATURE_FORMATS, type SignatureFormat, signAs } from "../signature-format.js";

const ENCODINGS = ["hex", "base64", "bin"] as const;
type Encoding = (typeof ENCODINGS)[number];

interface SignOptions extends BrokerOptions, PayloadOptions {
  readonly keyId: string;
  readonly format: SignatureFormat;
  readonly encoding?: Encoding;
}

interface SignReport {
  readonly key_id: string;
  readonly format: SignatureFormat;
  readonly encoding: Encoding;
  readonly signature: Uint8Array;
}

export const sign = defineCommand<SignOptions, SignReport>({
  name: "sign",
  summary: "sign a message with a key of the catalog; prints the signature in hex",
  examples: [
    "basil sign --key-id jwt.signing.primary 'the message'",
    "basil sign --key-id jwt.signing.primary --file release.tar.sha256",
    "basil sign --key-id jwt.signing.primary --format der --encoding bin --file message > message.sig",
  ],
  declare(command) {
    command
      .requiredOption("--key-id <name>", "the key's name in the catalog", nonEmpty)
      .addOption(
        new Option("--format <format>", "raw is r ‖ s or 64 bytes, der is ASN.1, jws is a compact JSON Web Signature")
          .choices(SIGNATURE_FORMATS)
          .default("raw"),
      )
      .addOption(new Option("--encoding <encoding>", "of raw and der (default: hex)").choices(ENCODINGS));
    declarePayload(command, "payload", "the message to sign");
    declareBroker(command);
  },
  async run({ options, operands }, context) {
    const { keyId, format, encoding } = options;
    if (format === "jws" && encoding !== undefined) {
      throw new CliError("USAGE", "--encoding is not for --format jws, which is text", { flag: "--encoding" });
    }
    const message = await readPayload(operands, options, context, MAX_PAYLOAD_BYTES);
    const signature = await withBroker(options, context, (client, call) =>
      signAs(format, client, keyId, message, call),
    );
    return { key_id: keyId, format, encoding: encoding ?? "hex", signature };
  },
  render({ format, encoding, signature }, { out, outBytes }) {
    if (format !== "jws" && encoding === "bin") outBytes(signature);
    else out(textOf(signature, format, encoding));
  },
  json: ({ key_id, format, encoding, signature }) => ({
    key_id,
    // As it always was: the plain form is not named.
    ...(format !== "raw" && { format }),
    signature: textOf(signature, format, encoding === "bin" ? "hex" : encoding),
  }),
});

function textOf(signature: Uint8Array, format: SignatureFormat, encoding: Encoding): string {
  if (format === "jws") return new TextDecoder().decode(signature);
  return encoding === "base64" ? Buffer.from(signature).toString("base64") : toHex(signature);
}
