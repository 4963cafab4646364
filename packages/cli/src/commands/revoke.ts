import { type BrokerOptions, declareBroker, withBroker } from "../broker-call.js";
import { defineCommand } from "../command.js";
import { escapeField } from "../escape-text.js";
import { integer, nonEmpty } from "../option-values.js";

interface RevokeOptions extends BrokerOptions {
  readonly trustDomain: string;
  readonly jti: string;
  readonly expiresAtUnix: number;
}

interface RevokeReport {
  readonly trust_domain: string;
  readonly jti: string;
  readonly expires_at_unix: number;
  readonly persisted: true;
}

export const revoke = defineCommand<RevokeOptions, RevokeReport>({
  name: "revoke",
  summary: "put a credential on the deny list until it expires by itself",
  examples: ["basil revoke --trust-domain example.org --jti 4f7d --expires-at-unix 1795000000"],
  declare(command) {
    command
      .requiredOption("--trust-domain <name>", "without spiffe://", nonEmpty)
      .requiredOption("--jti <id>", "the token's id", nonEmpty)
      .requiredOption("--expires-at-unix <n>", "when the token expires by itself", integer(1, Number.MAX_SAFE_INTEGER));
    declareBroker(command);
  },
  async run({ options }, context) {
    const { trustDomain, jti, expiresAtUnix } = options;
    await withBroker(options, context, (client, call) => client.revoke({ trustDomain, jti, expiresAtUnix }, call));
    return { trust_domain: trustDomain, jti, expires_at_unix: expiresAtUnix, persisted: true };
  },
  render({ trust_domain, jti, expires_at_unix, persisted }, { out }) {
    out(escapeField(`revoked: ${jti}`));
    out(escapeField(`trust_domain: ${trust_domain}`));
    out(`expires_at_unix: ${expires_at_unix}`);
    out(`persisted: ${persisted}`);
  },
});
