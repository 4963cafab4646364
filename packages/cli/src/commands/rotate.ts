import { type BrokerOptions, declareBroker, withBroker } from "../broker-call.js";
import { CliError } from "../cli-error.js";
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
    const { keyId } = options;
    const version = await withBroker(options, context, (client, call) => client.rotate(keyId, call)).catch(
      (error: unknown) => {
        const unsupported =
          error instanceof CliError && "reason" in error.details && error.details.reason === "UNSUPPORTED";
        if (!unsupported) throw error;
        const remedy = `a key in AWS KMS is given a new version by its rotator: 'basil provision rotate ${keyId}'`;
        throw new CliError("FAILED", error.message, { reason: "UNSUPPORTED" }, { cause: error, remedy });
      },
    );
    return { key_id: keyId, version };
  },
  render({ version }, { out }) {
    out(`version: ${version}`);
  },
});
