import { type BrokerOptions, declareBroker, MAX_PAYLOAD_BYTES, withBroker } from "../broker-call.js";
import { defineCommand } from "../command.js";
import { toHex } from "../hex.js";
import { nonEmpty } from "../option-values.js";
import { declarePayload, type PayloadOptions, readPayload } from "../payload.js";

interface SignOptions extends BrokerOptions, PayloadOptions {
  readonly keyId: string;
}

export const sign = defineCommand<SignOptions, { readonly key_id: string; readonly signature: string }>({
  name: "sign",
  summary: "sign a message with a key of the catalog; prints the signature in hex",
  examples: [
    "basil sign --key-id jwt.signing.primary 'the message'",
    "basil sign --key-id jwt.signing.primary --file release.tar.sha256",
  ],
  declare(command) {
    command.requiredOption("--key-id <name>", "the key's name in the catalog", nonEmpty);
    declarePayload(command, "payload", "the message to sign");
    declareBroker(command);
  },
  async run({ options, operands }, context) {
    const message = await readPayload(operands, options, context, MAX_PAYLOAD_BYTES);
    const signature = await withBroker(options, context, (client, call) => client.sign(options.keyId, message, call));
    return { key_id: options.keyId, signature: toHex(signature) };
  },
  render({ signature }, { out }) {
    out(signature);
  },
});
