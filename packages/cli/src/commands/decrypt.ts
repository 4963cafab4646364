import type { AeadName } from "@basil/client";
import { aeadAlgorithm } from "../aead-names.js";
import { type BrokerOptions, declareBroker, MAX_PAYLOAD_BYTES, withBroker } from "../broker-call.js";
import { CliError } from "../cli-error.js";
import { defineCommand } from "../command.js";
import { toHex } from "../hex.js";
import { hexBytes, integer, nonEmpty } from "../option-values.js";
import { readPayload } from "../payload.js";

interface DecryptOptions extends BrokerOptions {
  readonly keyId: string;
  readonly algorithm: AeadName;
  readonly version: number;
  readonly nonce: Uint8Array;
  readonly ciphertext?: Uint8Array;
  readonly file?: string;
  readonly aadHex?: Uint8Array;
  readonly raw?: boolean;
}

interface DecryptReport {
  readonly plaintext: Uint8Array;
  readonly raw: boolean;
}

export const decrypt = defineCommand<DecryptOptions, DecryptReport>({
  name: "decrypt",
  summary: "decrypt what 'basil encrypt' printed; prints the plaintext in hex",
  examples: [
    "basil decrypt --key-id payload.aead --algorithm aes256-gcm --version 1 --nonce '' --ciphertext 0102…",
    "basil decrypt --key-id payload.aead --algorithm aes256-gcm --version 1 --nonce '' --file blob --raw > data.key",
  ],
  declare(command) {
    command
      .requiredOption("--key-id <name>", "the key's name in the catalog", nonEmpty)
      .requiredOption("--algorithm <name>", "aes256-gcm or chacha20-poly1305, as encrypt printed it", aeadAlgorithm)
      .requiredOption("--version <n>", "the key version encrypt printed", integer(0, 0xffff_ffff))
      .requiredOption("--nonce <hex>", "the nonce encrypt printed; it may be empty", hexBytes)
      .option("--ciphertext <hex>", "the ciphertext encrypt printed", hexBytes)
      .option("--file <path>", "read the ciphertext from a file, byte for byte; - is standard input", nonEmpty)
      .option("--aad-hex <hex>", "the same bytes as at encryption; absent and empty are not the same", hexBytes)
      .option("--raw", "write the plaintext as it is, without a newline");
    declareBroker(command);
  },
  async run({ options }, context) {
    if ((options.ciphertext === undefined) === (options.file === undefined)) {
      throw new CliError("USAGE", "give the ciphertext once: with --ciphertext HEX or with --file PATH", {
        flag: "--ciphertext",
      });
    }
    const { keyId, algorithm, version: keyVersion, nonce, file, aadHex: aad } = options;
    const ciphertext = options.ciphertext ?? (await readPayload([], { file: file ?? "-" }, context, MAX_PAYLOAD_BYTES));
    const plaintext = await withBroker(options, context, (client, call) =>
      client.decrypt(
        keyId,
        { algorithm, keyVersion, nonce, ciphertext },
        { ...call, ...(aad !== undefined && { aad }) },
      ),
    );
    return { plaintext, raw: options.raw ?? false };
  },
  render({ plaintext, raw }, { out, outBytes }) {
    if (raw) outBytes(plaintext);
    else out(toHex(plaintext));
  },
  json: ({ plaintext }) => ({ plaintext: toHex(plaintext) }),
});
