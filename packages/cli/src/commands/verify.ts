import { Option } from "commander";
import { type BrokerOptions, declareBroker, MAX_PAYLOAD_BYTES, withBroker } from "../broker-call.js";
import { CliError } from "../cli-error.js";
import { defineCommand } from "../command.js";
import { readDocument } from "../config/read-document.js";
import { EXIT } from "../exit-code.js";
import { nonEmpty } from "../option-values.js";
import { declarePayload, type PayloadOptions, readPayload } from "../payload.js";
import {
  declareNamespace,
  requireFormatFlags,
  SIGNATURE_ENCODINGS,
  type SignatureEncoding,
} from "../signature-format.js";
import { readSignature } from "../signature-input.js";
import type { DetachedFormat } from "../verify-as.js";

const FORMATS = ["raw", "der", "sshsig"] as const satisfies readonly DetachedFormat[];

interface VerifyOptions extends BrokerOptions, PayloadOptions {
  readonly keyId?: string;
  readonly signature?: string;
  readonly signatureFile?: string;
  readonly format: DetachedFormat;
  readonly encoding?: SignatureEncoding;
  readonly namespace?: string;
  readonly offline?: boolean;
  readonly pubkey?: string;
}

interface VerifyReport {
  readonly valid: boolean;
  readonly key_id?: string;
  readonly pubkey?: string;
}

export const verify = defineCommand<VerifyOptions, VerifyReport>({
  name: "verify",
  summary: "verify a signature; prints true, or false and exits 1",
  examples: [
    "basil verify --key-id jwt.signing.primary --signature 9b1c… 'the message'",
    "basil verify --offline --pubkey key.pem --signature 9b1c… --file message",
    "basil verify --offline --pubkey key.pub --format sshsig --namespace file --signature-file release.tar.sig --file release.tar",
  ],
  declare(command) {
    command
      .option("--key-id <name>", "the key's name in the catalog", nonEmpty)
      .option("--offline", "verify here, with --pubkey; no broker is asked")
      .option("--pubkey <file>", "the public key, in any form that 'basil pubkey' prints", nonEmpty)
      .option("--signature <hex>", "the signature, as 'basil sign' prints it")
      .option("--signature-file <path>", "read the signature from a file", nonEmpty)
      .addOption(new Option("--format <format>", "the signature's, as it was signed").choices(FORMATS).default("raw"))
      .addOption(new Option("--encoding <encoding>", "of raw and der (default: hex)").choices(SIGNATURE_ENCODINGS));
    declareNamespace(command);
    declarePayload(command, "payload", "the message that was signed");
    declareBroker(command);
  },
  async run({ options, operands }, context) {
    const { keyId, offline = false, pubkey, format, namespace } = options;
    if (offline !== (pubkey !== undefined)) {
      throw new CliError("USAGE", "--offline and --pubkey go together", { flag: offline ? "--offline" : "--pubkey" });
    }
    if (!offline && keyId === undefined) {
      throw new CliError("USAGE", "required option '--key-id <name>' not specified", { flag: "--key-id" });
    }
    requireFormatFlags(format, options);
    const signature = await readSignature(options, context);
    const message = await readPayload(operands, options, context, MAX_PAYLOAD_BYTES);
    const { verifyByBroker, verifyHere } = await import("../verify-as.js");
    const given = { format, message, signature, ...(namespace !== undefined && { namespace }) };
    if (pubkey !== undefined) {
      const file = await readDocument(pubkey, "public key", context.cwd);
      const { publicKeyOf } = await import("../public-key-file.js");
      const valid = await told(pubkey, async () => verifyHere(await publicKeyOf(file), given));
      return { pubkey, valid };
    }
    const key_id = keyId ?? "";
    const valid = await told(undefined, () =>
      withBroker(options, context, (client, call) => verifyByBroker(client, key_id, given, call)),
    );
    return { key_id, valid };
  },
  render({ valid }, { out }) {
    out(String(valid));
  },
  exitCode: ({ valid }) => (valid ? EXIT.done : EXIT.no),
});

/** Tells what is wrong with a key or signature that cannot be read. @throws {@link CliError} `FAILED`. */
async function told(pubkey: string | undefined, verify: () => Promise<boolean>): Promise<boolean> {
  try {
    return await verify();
  } catch (error) {
    if (error instanceof CliError) throw error;
    const { isBackendError } = await import("@basil/core");
    if (!isBackendError(error)) throw error;
    const ofKey = pubkey !== undefined && error.code === "PUBLIC_KEY_MALFORMED";
    throw new CliError(
      "FAILED",
      `${ofKey ? `the public key ${pubkey} is refused: ` : ""}${error.message}`,
      { reason: error.code },
      { cause: error, remedy: "give the key as 'basil pubkey' prints it, and the signature as 'basil sign' does" },
    );
  }
}
