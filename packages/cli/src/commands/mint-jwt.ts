import { type BrokerOptions, declareBroker, withBroker } from "../broker-call.js";
import { CliError } from "../cli-error.js";
import { defineCommand } from "../command.js";
import type { CommandContext } from "../context.js";
import { escapeField } from "../escape-text.js";
import { integer, nonEmpty } from "../option-values.js";
import { readPayload } from "../payload.js";

interface MintJwtOptions extends BrokerOptions {
  readonly keyId: string;
  readonly sub: string;
  readonly ttlSecs?: number;
  readonly claimsJson?: string;
  readonly claimsFile?: string;
}

interface MintJwtReport {
  readonly token: string;
  readonly expires_at: number | null;
}

export const mintJwt = defineCommand<MintJwtOptions, MintJwtReport>({
  name: "mint-jwt",
  summary: "have an issuer key sign a JWT; prints the token, and when it expires",
  examples: [
    "basil mint-jwt --key-id jwt.issuer --sub web --ttl-secs 300",
    "basil mint-jwt --key-id jwt.issuer --sub web --claims-file claims.json",
  ],
  declare(command) {
    command
      .requiredOption("--key-id <name>", "the key's name in the catalog", nonEmpty)
      .requiredOption("--sub <subject>", "the token's sub", nonEmpty)
      .option("--ttl-secs <n>", "seconds until it expires; never without", integer(1, Number.MAX_SAFE_INTEGER))
      .option("--claims-json <json>", "more claims, as a JSON object")
      .option("--claims-file <path>", "read them from a file; - is standard input", nonEmpty);
    declareBroker(command);
  },
  async run({ options }, context) {
    const { keyId, sub, ttlSecs } = options;
    const claims = await claimsOf(options, context);
    const { token, expiresAt } = await withBroker(options, context, (client, call) =>
      client.mintJwt(keyId, sub, { ...call, claims, ...(ttlSecs !== undefined && { ttlSeconds: ttlSecs }) }),
    );
    return { token, expires_at: expiresAt === undefined ? null : Math.floor(expiresAt.getTime() / 1000) };
  },
  render({ token, expires_at }, { out }) {
    out(escapeField(token));
    if (expires_at !== null) out(`expires_at: ${expires_at}`);
  },
});

/** What the broker takes for claims; its limits are lower. */
const MAX_CLAIMS_BYTES = 64 * 1024;

async function claimsOf({ claimsJson, claimsFile }: MintJwtOptions, context: CommandContext): Promise<string> {
  if (claimsFile === undefined) {
    requireObject(claimsJson ?? "{}", "--claims-json");
    return claimsJson ?? "{}";
  }
  if (claimsJson !== undefined) {
    throw new CliError("USAGE", "the claims are given twice: with --claims-json and with --claims-file", {
      flag: "--claims-file",
    });
  }
  const text = new TextDecoder().decode(await readPayload([], { file: claimsFile }, context, MAX_CLAIMS_BYTES));
  requireObject(text, `--claims-file ${claimsFile}`);
  return text;
}

function requireObject(text: string, given: string): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  throw new CliError("USAGE", `${given} is not a JSON object`, { flag: given.split(" ")[0] ?? given });
}
