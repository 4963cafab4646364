import type { KeyTypeName } from "@basil/client";
import { Option } from "commander";
import { type BrokerOptions, declareBroker, withBroker } from "../broker-call.js";
import { CliError } from "../cli-error.js";
import { defineCommand } from "../command.js";
import { escapeField } from "../escape-text.js";
import { toHex } from "../hex.js";
import { nonEmpty } from "../option-values.js";

/** The types with a number on the wire, then the symmetric ones, which the broker takes from the catalog. */
const WIRE_KEY_TYPES: readonly KeyTypeName[] = [
  "ed25519",
  "ed25519-nkey",
  "rsa-2048",
  "ecdsa-p256",
  "ecdsa-p384",
  "ecdsa-p521",
  "ml-dsa-44",
  "ml-dsa-65",
  "ml-dsa-87",
  "ml-kem-512",
  "ml-kem-768",
  "ml-kem-1024",
];
const SYMMETRIC_KEY_TYPES = ["aes-256-gcm", "chacha20-poly1305"] as const;

interface NewKeyOptions extends BrokerOptions {
  readonly keyId: string;
  readonly keyType: string;
}

export const newKey = defineCommand<NewKeyOptions, { readonly key_id: string; readonly public_key: string }>({
  name: "new-key",
  summary: "create the key of a catalog entry that has none yet; prints its public half in hex",
  strayOperand: "--key-id",
  examples: ["basil new-key --key-id jwt.signing.primary --key-type ecdsa-p256"],
  declare(command) {
    command
      .option("--key-id <name>", "the key's name in the catalog", nonEmpty, "example.signing_key")
      .addOption(
        new Option("--key-type <type>", "the key's type, as in the catalog")
          .choices([...WIRE_KEY_TYPES, ...SYMMETRIC_KEY_TYPES])
          .default("ed25519"),
      );
    declareBroker(command);
  },
  async run({ options }, context) {
    const keyType = WIRE_KEY_TYPES.find((name) => name === options.keyType);
    const created = await withBroker(options, context, (client, call) =>
      // Symmetric types have no number on the wire, so the broker compares the name.
      client.newKey(options.keyId, keyType, { ...call, expectKeyType: options.keyType }).catch(withTypeHint),
    );
    return { key_id: created.keyId, public_key: toHex(created.publicKey) };
  },
  render({ key_id, public_key }, { out }) {
    out(escapeField(`key_id: ${key_id}`));
    out(`public_key: ${public_key}`.trimEnd());
  },
});

/** The broker's message names the type of the entry; the remedy names the flag. */
async function withTypeHint(error: unknown): Promise<never> {
  const { isClientError } = await import("@basil/client");
  const found = /is of type ([a-z0-9-]+)/.exec(error instanceof Error ? error.message : "")?.[1];
  if (found === undefined || !isClientError(error) || error.code !== "INVALID_REQUEST") throw error;
  const remedy = `give --key-type ${found}, or name another key with --key-id`;
  throw new CliError("FAILED", `${error.message} (${error.code})`, { reason: error.code }, { cause: error, remedy });
}
