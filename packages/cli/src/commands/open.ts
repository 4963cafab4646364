import { type AadOptions, aadOf, declareAad } from "../aad.js";
import { type BrokerOptions, declareBroker, withBroker } from "../broker-call.js";
import {
  type ByteStreamOptions,
  byteInput,
  declareByteStreams,
  requireByteOutput,
  writeBytes,
} from "../byte-streams.js";
import { defineCommand } from "../command.js";
import { nonEmpty } from "../option-values.js";
import { sealedSummary } from "../sealed-summary.js";

interface OpenOptions extends BrokerOptions, ByteStreamOptions, AadOptions {
  readonly keyId?: string;
  readonly json?: boolean;
}

export const open = defineCommand<OpenOptions, unknown>({
  name: "open",
  summary: "open what 'basil seal' sealed; every byte written is authentic, and exit code 0 says that none is missing",
  examples: [
    "basil open -o backup.tar < backup.tar.sealed",
    "basil open --file backup.tar.sealed --aad backup-2026-11 --key-id payload.aead > backup.tar",
  ],
  declare(command) {
    declareByteStreams(command, "the sealed file", "the data");
    declareAad(command);
    command.option(
      "--key-id <name>",
      "the key it must be sealed with (default: any key you may decrypt with)",
      nonEmpty,
    );
    declareBroker(command);
  },
  async run({ options }, context) {
    const { keyId } = options;
    const aad = aadOf(options);
    requireByteOutput(options, context);
    const input = await byteInput(options, context);
    try {
      const [key, bytes] = await withBroker(options, context, async (client, call) => {
        const { openStream } = await import("@basil/client");
        const opened = await openStream(client, input.bytes, {
          ...call,
          ...(aad !== undefined && { aad }),
          ...(keyId !== undefined && { keyId }),
        });
        return [opened.keyId, await writeBytes(opened, options, context)] as const;
      });
      return sealedSummary(key, bytes, options, context);
    } finally {
      input.close();
    }
  },
  render() {},
});
