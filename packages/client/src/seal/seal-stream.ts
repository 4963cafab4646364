import type { AeadName } from "@basil/proto";
import type { Client } from "../client.js";
import type { CallOptions } from "../transport.js";
import { type ByteSource, Pieces } from "./byte-source.js";
import { encodeStanza, fileKeyContext, requireStanzaWord } from "./stanza.js";

export interface SealStreamOptions extends CallOptions {
  /** Bytes of any length that opening needs, too. Absent and empty are not the same. */
  readonly aad?: Uint8Array;
  /** The cipher of the key, as `encrypt` takes it. Default: `aes-256-gcm`. */
  readonly algorithm?: AeadName;
  /** Recipients of the age format (`age1…`) who can open the file without a broker, and without the AAD. */
  readonly recipients?: readonly string[];
}

/**
 * Seals bytes of any length to a symmetric key of the broker, in the age format: a key of their own encrypts them here, the
 * broker encrypts that key, once. 64 KiB are held at a time, and read only as the result is read.
 *
 * `timeoutMs` is for the broker's answer, `signal` for the whole stream.
 *
 * @returns once the broker has encrypted. The stream ends in what the source throws, or {@link ClientError} `CANCELLED`.
 * @throws {@link ClientError} as `encrypt`. TypeError also for a recipient that is none.
 */
export async function sealStream(
  client: Client,
  keyId: string,
  source: ByteSource,
  { aad, recipients = [], ...call }: SealStreamOptions = {},
): Promise<ReadableStream<Uint8Array>> {
  requireStanzaWord(keyId);
  const pieces = new Pieces(source, call.signal);
  // Only here: most programs that load this package seal nothing.
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  let fileKey: Uint8Array | undefined;
  encrypter.addRecipient({
    async wrapFileKey(key) {
      fileKey = key;
      const envelope = await client.encrypt(keyId, key, { ...call, aad: fileKeyContext(aad) });
      return [encodeStanza({ keyId, envelope })];
    },
  });
  try {
    for (const recipient of recipients) addRecipient(encrypter, recipient);
    return await encrypter.encrypt(pieces.stream());
  } catch (error) {
    pieces.release();
    throw error;
  } finally {
    fileKey?.fill(0);
  }
}

function addRecipient(encrypter: { addRecipient(recipient: string): void }, recipient: string): void {
  try {
    encrypter.addRecipient(recipient);
  } catch (cause) {
    throw new TypeError(`recipients must be age recipients (age1…), not ${JSON.stringify(recipient)}`, { cause });
  }
}
