/** Kinds of keys that prove who sent a sealed message. */
export const SIGNATURE_ALGORITHMS = ["ed25519", "nats-nkey"] as const;
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

/**
 * The 32 bytes of an Ed25519 public key written for `algorithm`; `undefined` for any other text.
 *
 * `ed25519`: base64url without padding (RFC 4648 §5), 43 characters. `nats-nkey`: 56 characters of upper-case base32
 * without padding over a role byte (A C N O U X), the key, and CRC-16/XMODEM, little-endian.
 */
export function decodeSignaturePublic(algorithm: SignatureAlgorithm, text: string): Uint8Array | undefined {
  return algorithm === "ed25519" ? decodeBase64url32(text) : decodeNkey(text);
}

function decodeBase64url32(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]{43}$/.test(text)) return undefined;
  const bytes = Buffer.from(text, "base64url");
  // The last character holds four bits of the key and two that must be zero, or two texts would name one key.
  return bytes.toString("base64url") === text ? new Uint8Array(bytes) : undefined;
}

/** Role letters and their prefix bytes: the letter is what base32 makes of the byte's upper five bits. */
const NKEY_PREFIXES: Readonly<Record<string, number>> = {
  A: 0,
  C: 2 << 3,
  N: 13 << 3,
  O: 14 << 3,
  U: 20 << 3,
  X: 23 << 3,
};
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function decodeNkey(text: string): Uint8Array | undefined {
  if (!/^[A-Z2-7]{56}$/.test(text)) return undefined;
  const bytes = new Uint8Array(35);
  let bits = 0;
  let pending = 0;
  let at = 0;
  for (const char of text) {
    pending = ((pending << 5) | BASE32.indexOf(char)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = (pending >> bits) & 0xff;
  }
  if (NKEY_PREFIXES[text[0]!] !== bytes[0]) return undefined;
  const checksum = bytes[33]! | (bytes[34]! << 8);
  return crc16(bytes.subarray(0, 33)) === checksum ? bytes.slice(1, 33) : undefined;
}

/** CRC-16/XMODEM: polynomial 0x1021, initial value 0. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc;
}
