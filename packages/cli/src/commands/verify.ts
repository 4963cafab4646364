import { type BrokerOptions, declareBroker, MAX_PAYLOAD_BYTES, withBroker } from "../broker-call.js";
import { defineCommand } from "../command.js";
import { EXIT } from "../exit-code.js";
import { hexBytes, nonEmpty } from "../option-values.js";
import { declarePayload, type PayloadOptions, readPayload } from "../payload.js";

interface VerifyOptions extends BrokerOptions, PayloadOptions {
  readonly keyId: string;
  readonly signature: Uint8Array;
}

export const verify = defineCommand<VerifyOptions, { readonly key_id: string; readonly valid: boolean }>({
  name: "verify",
  summary: "verify a signature; prints true, or false and exits 1",
  examples: ["basil verify --key-id jwt.signing.primary --signature 3045… 'the message'"],
  declare(command) {
    command
      .requiredOption("--key-id <name>", "the key's name in the catalog", nonEmpty)
      .requiredOption("--signature <hex>", "the signature, as 'basil sign' prints it", hexBytes);
    declarePayload(command, "payload", "the message that was signed");
    declareBroker(command);
  },
  async run({ options, operands }, context) {
    const message = await readPayload(operands, options, context, MAX_PAYLOAD_BYTES);
    const { keyId, signature } = options;
    const valid = await withBroker(options, context, (client, call) => client.verify(keyId, message, signature, call));
    return { key_id: keyId, valid };
  },
  render({ valid }, { out }) {
    out(String(valid));
  },
  exitCode: ({ valid }) => (valid ? EXIT.done : EXIT.no),
});
