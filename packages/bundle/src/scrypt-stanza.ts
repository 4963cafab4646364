import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { BundleError } from "./errors.js";
import { SCRYPT_LOG_N } from "./limits.js";
import type { SlotStanza } from "./slot.js";

const LABEL = new TextEncoder().encode("age-encryption.org/v1/scrypt");
const SALT_BYTES = 16;
const TAG_BYTES = 16;
// One key, one message: age uses the zero nonce here (https://c2sp.org/age#scrypt-recipient-stanza).
const NONCE = new Uint8Array(12);

/** `-> scrypt SALT LOGN` with the wrapped file key as body. From bytes, and off the event loop, unlike the age library's own. */
export async function wrapWithScrypt(
  fileKey: Uint8Array,
  passphrase: Uint8Array,
  logN: number = SCRYPT_LOG_N,
): Promise<SlotStanza> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(passphrase, salt, logN);
  try {
    const cipher = createCipheriv("chacha20-poly1305", key, NONCE, { authTagLength: TAG_BYTES });
    const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
    return { args: ["scrypt", salt.toString("base64").replace(/=+$/, ""), String(logN)], body: new Uint8Array(body) };
  } finally {
    key.fill(0);
  }
}

/**
 * The 16-byte file key, or nothing when the passphrase is another.
 * @throws {@link BundleError} `COST_TOO_HIGH` before any work, `AUTHENTICATION` for a stanza that is not a scrypt stanza.
 */
export async function unwrapWithScrypt(stanza: SlotStanza, passphrase: Uint8Array): Promise<Uint8Array | undefined> {
  const [type, saltText, logNText] = stanza.args;
  const salt = Buffer.from(saltText ?? "", "base64");
  const wellFormed =
    type === "scrypt" &&
    stanza.args.length === 3 &&
    salt.length === SALT_BYTES &&
    salt.toString("base64").replace(/=+$/, "") === saltText &&
    /^[1-9][0-9]{0,2}$/.test(logNText ?? "") &&
    stanza.body.length === 16 + TAG_BYTES;
  if (!wellFormed)
    throw new BundleError("AUTHENTICATION", "a passphrase slot holds no scrypt stanza", { part: "slot" });
  const logN = Number(logNText);
  if (logN > SCRYPT_LOG_N) {
    throw new BundleError(
      "COST_TOO_HIGH",
      `a slot asks for scrypt cost 2^${logN}, at most 2^${SCRYPT_LOG_N} is accepted`,
      {
        logN,
        limit: SCRYPT_LOG_N,
      },
    );
  }
  const key = await derive(passphrase, salt, logN);
  try {
    const decipher = createDecipheriv("chacha20-poly1305", key, NONCE, { authTagLength: TAG_BYTES }).setAuthTag(
      stanza.body.subarray(16),
    );
    const fileKey = decipher.update(stanza.body.subarray(0, 16));
    try {
      decipher.final();
    } catch {
      fileKey.fill(0);
      return undefined;
    }
    return new Uint8Array(fileKey.buffer, fileKey.byteOffset, fileKey.byteLength);
  } finally {
    key.fill(0);
  }
}

function derive(passphrase: Uint8Array, salt: Uint8Array, logN: number): Promise<Buffer> {
  const N = 2 ** logN;
  return new Promise((resolve, reject) => {
    scrypt(
      passphrase,
      Buffer.concat([LABEL, salt]),
      32,
      { N, r: 8, p: 1, maxmem: 1024 * N + (1 << 20) },
      (error, key) => (error === null ? resolve(key) : reject(error)),
    );
  });
}
