import type { BrokerHealth } from "@basil/client";
import { type BrokerOptions, declareBroker, withBroker } from "../broker-call.js";
import { defineCommand } from "../command.js";
import { escapeField } from "../escape-text.js";
import { EXIT } from "../exit-code.js";

export const health = defineCommand<BrokerOptions, BrokerHealth>({
  name: "health",
  summary: "ask whether the broker process answers; asks no backend and needs no subject",
  examples: ["basil health"],
  declare: declareBroker,
  run: ({ options }, context) => withBroker(options, context, (client, call) => client.health(call)),
  render({ alive, version }, { out }) {
    out(`alive: ${alive}`);
    out(escapeField(`version: ${version}`));
  },
  exitCode: ({ alive }) => (alive ? EXIT.done : EXIT.no),
});
