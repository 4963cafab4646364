import type { KeyTypeName } from "@basil/client";
import { Option } from "commander";
import { type BrokerOptions, declareBroker, withBroker } from "../broker-call.js";
import { defineCommand } from "../command.js";
import { toHex } from "../hex.js";
import { integer, nonEmpty } from "../option-values.js";

const FORMATS = ["pem", "jwk", "ssh", "raw", "der"] as const;
type Format = (typeof FORMATS)[number];

interface PubkeyOptions extends BrokerOptions {
  readonly keyId: string;
  readonly format: Format;
  readonly keyVersion?: number;
}

interface PubkeyReport {
  readonly key_id: string;
  readonly key_type: string;
  readonly version: number;
  readonly format: Format;
  /** Text for pem and ssh, an object for jwk, bytes for raw and der. */
  readonly publicKey: string | object | Uint8Array;
}

export const pubkey = defineCommand<PubkeyOptions, PubkeyReport>({
  name: "pubkey",
  summary: "print the public half of a signing key",
  examples: ["basil pubkey --key-id jwt.signing.primary", "basil pubkey --key-id jwt.signing.primary --format jwk"],
  declare(command) {
    command
      .requiredOption("--key-id <name>", "the key's name in the catalog", nonEmpty)
      .addOption(
        new Option("--format <format>", "pem and der hold SubjectPublicKeyInfo; raw is 32 bytes or the SEC 1 point")
          .choices(FORMATS)
          .default("pem"),
      )
      .option("--key-version <n>", "this version instead of the newest", integer(1, 0xffff_ffff));
    declareBroker(command);
  },
  async run({ options }, context) {
    const { keyId, format, keyVersion: version } = options;
    const { keyType, ...key } = await withBroker(options, context, (client, call) =>
      client.getPublicKey(keyId, { ...call, ...(version !== undefined && { version }) }),
    );
    const publicKey = await encode(key.publicKey, keyType, format, keyId);
    return { key_id: key.keyId, key_type: keyType, version: key.version, format, publicKey };
  },
  render({ publicKey }, { out, outBytes }) {
    if (publicKey instanceof Uint8Array) outBytes(publicKey);
    else out(typeof publicKey === "string" ? publicKey.trimEnd() : JSON.stringify(publicKey));
  },
  json: ({ publicKey, ...report }) => ({
    ...report,
    public_key: publicKey instanceof Uint8Array ? toHex(publicKey) : publicKey,
  }),
});

async function encode(raw: Uint8Array, keyType: KeyTypeName, format: Format, keyId: string) {
  if (format === "raw") return raw;
  const core = await import("@basil/core");
  const spki = core.rawToSpki(raw, keyType);
  switch (format) {
    case "pem":
      return core.spkiToPem(spki);
    case "jwk":
      return (await import("@basil/client")).signerJwk(raw, keyType);
    case "ssh":
      return core.spkiToSsh(spki, keyType, keyId);
    case "der":
      return spki;
  }
}
