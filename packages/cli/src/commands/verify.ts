import { type BrokerOptions, declareBroker, MAX_PAYLOAD_BYTES, withBroker } from "../broker-call.js";
import { CliError } from "../cli-error.js";
import { defineCommand } from "../command.js";
import { readDocument } from "../config/read-document.js";
import { EXIT } from "../exit-code.js";
import { hexBytes, nonEmpty } from "../option-values.js";
import { declarePayload, type PayloadOptions, readPayload } from "../payload.js";

interface VerifyOptions extends BrokerOptions, PayloadOptions {
  readonly keyId?: string;
  readonly signature: Uint8Array;
  readonly offline?: boolean;
  readonly pubkey?: string;
}

interface VerifyReport {
  readonly valid: boolean;
  readonly key_id?: string;
  readonly pubkey?: string;
}

export const verify = defineCommand<VerifyOptions, VerifyReport>({
  name: "verify",
  summary: "verify a signature; prints true, or false and exits 1",
  examples: [
    "basil verify --key-id jwt.signing.primary --signature 3045… 'the message'",
    "basil verify --offline --pubkey key.pem --signature 3045… --file message",
  ],
  declare(command) {
    command
      .option("--key-id <name>", "the key's name in the catalog", nonEmpty)
      .option("--offline", "verify here, with --pubkey; no broker is asked")
      .option("--pubkey <file>", "the public key as PEM, as 'basil pubkey' prints it", nonEmpty)
      .requiredOption("--signature <hex>", "the signature, as 'basil sign' prints it", hexBytes);
    declarePayload(command, "payload", "the message that was signed");
    declareBroker(command);
  },
  async run({ options, operands }, context) {
    const { keyId, signature, offline = false, pubkey } = options;
    if (offline !== (pubkey !== undefined)) {
      throw new CliError("USAGE", "--offline and --pubkey go together", { flag: offline ? "--offline" : "--pubkey" });
    }
    if (!offline && keyId === undefined) {
      throw new CliError("USAGE", "required option '--key-id <name>' not specified", { flag: "--key-id" });
    }
    const message = await readPayload(operands, options, context, MAX_PAYLOAD_BYTES);
    if (pubkey !== undefined) {
      return { pubkey, valid: await verifyOffline(pubkey, message, signature, context.cwd) };
    }
    const key_id = keyId ?? "";
    const valid = await withBroker(options, context, (client, call) => client.verify(key_id, message, signature, call));
    return { key_id, valid };
  },
  render({ valid }, { out }) {
    out(String(valid));
  },
  exitCode: ({ valid }) => (valid ? EXIT.done : EXIT.no),
});

async function verifyOffline(path: string, message: Uint8Array, signature: Uint8Array, cwd: string): Promise<boolean> {
  const pem = new TextDecoder().decode(await readDocument(path, "public key", cwd));
  const { isBackendError, pemToSpki, spkiKeyType, verifySignature } = await import("@basil/core");
  try {
    const publicKey = pemToSpki(pem);
    return verifySignature({ keyType: spkiKeyType(publicKey), publicKey, message, signature });
  } catch (error) {
    if (!isBackendError(error)) throw error;
    const what = error.code === "PUBLIC_KEY_MALFORMED" ? `the public key ${path} is refused: ` : "";
    throw new CliError(
      "FAILED",
      `${what}${error.message}`,
      { reason: error.code },
      { cause: error, remedy: "give the key as PEM and the signature as 'basil sign' prints it" },
    );
  }
}
