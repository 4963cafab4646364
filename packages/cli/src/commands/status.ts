import type { BrokerStatus } from "@basil/client";
import { type BrokerOptions, declareBroker, withBroker } from "../broker-call.js";
import { defineCommand } from "../command.js";
import { escapeField } from "../escape-text.js";

export const status = defineCommand<BrokerOptions, BrokerStatus>({
  name: "status",
  summary: "show the broker's backend, version and protocol; needs a subject",
  examples: ["basil status"],
  declare: declareBroker,
  run: ({ options }, context) => withBroker(options, context, (client, call) => client.status(call)),
  render({ backend, version, protocol }, { out }) {
    out(escapeField(`backend: ${backend}`));
    out(escapeField(`version: ${version}`));
    out(`protocol: ${protocol}`);
  },
});
