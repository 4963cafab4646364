import { type BrokerOptions, declareBroker, withBroker } from "../broker-call.js";
import { defineCommand } from "../command.js";
import { nonEmpty } from "../option-values.js";

interface RotateOptions extends BrokerOptions {
  readonly keyId: string;
}

export const rotate = defineCommand<RotateOptions, { readonly key_id: string; readonly version: number }>({
  name: "rotate",
  summary: "make a new version of a key or value; prints its number",
  examples: ["basil rotate --key-id app.session_secret"],
  declare(command) {
    command.requiredOption("--key-id <name>", "the name in the catalog", nonEmpty);
    declareBroker(command);
  },
  async run({ options }, context) {
    const version = await withBroker(options, context, (client, call) => client.rotate(options.keyId, call));
    return { key_id: options.keyId, version };
  },
  render({ version }, { out }) {
    out(`version: ${version}`);
  },
});
