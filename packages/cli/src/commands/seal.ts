import type { AeadName } from "@basil/client";
import { type AadOptions, aadOf, declareAad } from "../aad.js";
import { aeadAlgorithm } from "../aead-names.js";
import { type BrokerOptions, declareBroker, withBroker } from "../broker-call.js";
import {
  type ByteStreamOptions,
  byteInput,
  declareByteStreams,
  requireByteOutput,
  writeBytes,
} from "../byte-streams.js";
import { CliError } from "../cli-error.js";
import { defineCommand } from "../command.js";
import { nonEmpty, repeated } from "../option-values.js";
import { sealedSummary } from "../sealed-summary.js";

interface SealOptions extends BrokerOptions, ByteStreamOptions, AadOptions {
  readonly algorithm?: AeadName;
  readonly recipient?: readonly string[];
  readonly json?: boolean;
}

export const seal = defineCommand<SealOptions, unknown>({
  name: "seal",
  summary: "seal data of any size to a symmetric key; 'basil open' opens it",
  examples: [
    "basil seal payload.aead < backup.tar > backup.tar.sealed",
    "basil seal payload.aead --file backup.tar -o backup.tar.sealed --aad backup-2026-11",
  ],
  declare(command) {
    command.argument("<key>", "the key's name in the catalog", nonEmpty);
    declareByteStreams(command, "the data", "the sealed file");
    declareAad(command);
    command
      .option(
        "--algorithm <name>",
        "the key's cipher, aes256-gcm or chacha20-poly1305 (default: aes256-gcm)",
        aeadAlgorithm,
      )
      .option(
        "-r, --recipient <age1…>",
        "who may also open it, with the age program and no broker; may be repeated",
        repeated,
      );
    declareBroker(command);
  },
  async run({ options, operands }, context) {
    const [keyId = ""] = operands;
    const { algorithm, recipient: recipients = [] } = options;
    const aad = aadOf(options);
    requireByteOutput(options, context);
    const input = await byteInput(options, context);
    try {
      const bytes = await withBroker(options, context, async (client, call) => {
        const { sealStream } = await import("@basil/client");
        const sealed = await sealStream(client, keyId, input.bytes, {
          ...call,
          recipients,
          ...(aad !== undefined && { aad }),
          ...(algorithm !== undefined && { algorithm }),
        }).catch(usage);
        return writeBytes(sealed, options, context);
      });
      return sealedSummary(keyId, bytes, options, context);
    } finally {
      input.close();
    }
  },
  render() {},
});

/** A wrong argument of ours is one of the command line. */
function usage(error: unknown): never {
  if (!(error instanceof TypeError)) throw error;
  throw new CliError("USAGE", error.message, {}, { cause: error });
}
