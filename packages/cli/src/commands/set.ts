import { type BrokerOptions, declareBroker, MAX_PAYLOAD_BYTES, withBroker } from "../broker-call.js";
import { CliError } from "../cli-error.js";
import { defineCommand } from "../command.js";
import { nonEmpty } from "../option-values.js";
import { declarePayload, type PayloadOptions, readPayload } from "../payload.js";

interface SetOptions extends BrokerOptions, PayloadOptions {
  readonly keyId: string;
  readonly hex?: boolean;
}

export const set = defineCommand<SetOptions, { readonly key_id: string; readonly version: number }>({
  name: "set",
  summary: "store a value; prints the new version; every user of this host sees arguments, so prefer --file",
  examples: ["basil set --key-id app.db_password --file password", "pwgen 32 1 | basil set --key-id app.db_password -"],
  declare(command) {
    command
      .requiredOption("--key-id <name>", "the name in the catalog", nonEmpty)
      .option("--hex", "the value is given in hex");
    declarePayload(command, "value", "the value");
    declareBroker(command);
  },
  async run({ options, operands }, context) {
    const given = await readPayload(operands, options, context, MAX_PAYLOAD_BYTES);
    const value = options.hex ? fromHex(given) : given;
    try {
      const version = await withBroker(options, context, (client, call) =>
        client.setSecret(options.keyId, value, call),
      );
      return { key_id: options.keyId, version };
    } finally {
      value.fill(0);
      given.fill(0);
    }
  },
  render({ version }, { out }) {
    out(`version: ${version}`);
  },
});

function fromHex(text: Uint8Array): Uint8Array {
  const hex = new TextDecoder().decode(text).trim();
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(hex)) {
    throw new CliError("USAGE", "the value is not hex: pairs of 0-9 and a-f", { flag: "--hex" });
  }
  return new Uint8Array(Buffer.from(hex, "hex"));
}
