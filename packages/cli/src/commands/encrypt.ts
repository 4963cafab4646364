import type { AeadName } from "@basil/client";
import { aeadAlgorithm, aeadSpelling } from "../aead-names.js";
import { type BrokerOptions, declareBroker, MAX_PAYLOAD_BYTES, withBroker } from "../broker-call.js";
import { defineCommand } from "../command.js";
import { escapeField } from "../escape-text.js";
import { toHex } from "../hex.js";
import { hexBytes, nonEmpty } from "../option-values.js";
import { declarePayload, type PayloadOptions, readPayload } from "../payload.js";

interface EncryptOptions extends BrokerOptions, PayloadOptions {
  readonly keyId: string;
  readonly algorithm?: AeadName;
  readonly aadHex?: Uint8Array;
}

interface EncryptReport {
  readonly algorithm: string;
  readonly version: number;
  readonly nonce: string;
  readonly ciphertext: string;
}

export const encrypt = defineCommand<EncryptOptions, EncryptReport>({
  name: "encrypt",
  summary: "encrypt with a symmetric key; prints algorithm, version, nonce and ciphertext",
  examples: [
    "basil encrypt --key-id payload.aead 'the plaintext'",
    "basil encrypt --key-id payload.aead --aad-hex 6f72646572 --file data.key",
  ],
  declare(command) {
    command
      .requiredOption("--key-id <name>", "the key's name in the catalog", nonEmpty)
      .option("--algorithm <name>", "aes256-gcm or chacha20-poly1305 (default: aes256-gcm)", aeadAlgorithm)
      .option("--aad-hex <hex>", "bytes the ciphertext is bound to; absent and empty are not the same", hexBytes);
    declarePayload(command, "plaintext", "the plaintext");
    declareBroker(command);
  },
  async run({ options, operands }, context) {
    const plaintext = await readPayload(operands, options, context, MAX_PAYLOAD_BYTES);
    const { keyId, algorithm, aadHex: aad } = options;
    const envelope = await withBroker(options, context, (client, call) =>
      client.encrypt(keyId, plaintext, {
        ...call,
        ...(algorithm !== undefined && { algorithm }),
        ...(aad !== undefined && { aad }),
      }),
    );
    return {
      algorithm: aeadSpelling(envelope.algorithm),
      version: envelope.keyVersion,
      nonce: toHex(envelope.nonce),
      ciphertext: toHex(envelope.ciphertext),
    };
  },
  render({ algorithm, version, nonce, ciphertext }, { out }) {
    out(escapeField(`algorithm: ${algorithm}`));
    out(`version: ${version}`);
    out(`nonce: ${nonce}`.trimEnd());
    out(`ciphertext: ${ciphertext}`);
  },
});
