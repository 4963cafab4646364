import { createHash } from "node:crypto";
import { AEAD_NUMBERS, type AeadName } from "@basil/proto";
import type { Envelope } from "../answers.js";
import { ClientError } from "../errors.js";

/** A stanza of an age header (https://age-encryption.org/v1, "Recipient stanza"): the words of its first line, and its body. */
export interface Stanza {
  readonly args: string[];
  readonly body: Uint8Array;
}

/** What a `basil` stanza holds: the file key as the broker's key encrypted it. */
export interface WrappedFileKey {
  readonly keyId: string;
  readonly envelope: Envelope;
}

const TYPE = "basil";
const NO_NONCE = "-";
const MAX_NONCE_BYTES = 64;
const MAX_NAME_LENGTH = 512;
const CONTEXT = new TextEncoder().encode("basil sealed file v1\0");

/** Of the stanzas of a header, those a broker can open. */
export function isBasilStanza({ args }: Pick<Stanza, "args">): boolean {
  return args[0] === TYPE;
}

/** `-> basil KEY ALGORITHM VERSION NONCE`: NONCE in unpadded base64, or `-` for none; the body is the ciphertext. */
export function encodeStanza({ keyId, envelope }: WrappedFileKey): Stanza {
  const { algorithm, keyVersion, nonce, ciphertext } = envelope;
  const nonceWord = nonce.length === 0 ? NO_NONCE : Buffer.from(nonce).toString("base64").replace(/=+$/, "");
  return { args: [TYPE, keyId, algorithm, String(keyVersion), nonceWord], body: ciphertext };
}

/** @throws {@link ClientError} `SEALED_HEADER_INVALID` */
export function decodeStanza({ args, body }: Stanza): WrappedFileKey {
  const [, keyId = "", algorithm = "", version = "", nonceWord = ""] = args;
  if (args.length !== 5) throw malformed(`has ${args.length - 1} arguments, not 4`);
  if (keyId.length > MAX_NAME_LENGTH) throw malformed(`names a key of ${keyId.length} characters`);
  if (!isAlgorithm(algorithm))
    throw malformed(`names a cipher that is none of ${Object.keys(AEAD_NUMBERS).join(", ")}`);
  const keyVersion = Number(version);
  if (!/^(?:0|[1-9]\d{0,9})$/.test(version) || keyVersion > 0xffff_ffff) throw malformed("has no version of the key");
  const nonce = nonceWord === NO_NONCE ? new Uint8Array() : new Uint8Array(Buffer.from(nonceWord, "base64"));
  const envelope = { algorithm, keyVersion, nonce, ciphertext: body };
  // What does not come out the same was not written by encodeStanza: padding, other alphabets, stray bits.
  if (nonce.length > MAX_NONCE_BYTES || encodeStanza({ keyId, envelope }).args[4] !== nonceWord) {
    throw malformed("has a nonce that is not unpadded base64 of at most 64 bytes");
  }
  return { keyId, envelope };
}

/**
 * The AAD a file key is encrypted under: `basil sealed file v1`, a zero byte, then 0 for no AAD of the caller, or 1 and the
 * SHA-256 of it. So a ciphertext made for another purpose opens no file, and an AAD has no limit of a backend's.
 */
export function fileKeyContext(aad: Uint8Array | undefined): Uint8Array {
  const bound = aad === undefined ? [0] : [1, ...createHash("sha256").update(aad).digest()];
  return Uint8Array.from([...CONTEXT, ...bound]);
}

/** @throws TypeError for a name that cannot stand in a stanza: words of printable ASCII. */
export function requireStanzaWord(keyId: string): void {
  if (typeof keyId !== "string" || !/^[!-~]+$/.test(keyId) || keyId.length > MAX_NAME_LENGTH) {
    throw new TypeError(
      `keyId must be 1 to ${MAX_NAME_LENGTH} printable ASCII characters without spaces, not ${JSON.stringify(keyId)}`,
    );
  }
}

function isAlgorithm(name: string): name is AeadName {
  return Object.hasOwn(AEAD_NUMBERS, name);
}

function malformed(what: string): ClientError<"SEALED_HEADER_INVALID"> {
  return new ClientError("SEALED_HEADER_INVALID", `the sealed file's basil stanza ${what}`, {});
}
