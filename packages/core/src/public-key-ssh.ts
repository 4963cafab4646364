import type { KeyType } from "@basil/catalog";
import { ecdsaCurve, isEcdsaKeyType } from "./curves.js";
import { spkiToRaw } from "./spki.js";

/**
 * SPKI DER as one line of an OpenSSH `authorized_keys` file, without a newline: `ssh-ed25519` (RFC 8709 §4) or
 * `ecdsa-sha2-nistp256`, `-nistp384`, `-nistp521` (RFC 5656 §3.1), base64, and the comment when one is given.
 *
 * @param comment - One line of text.
 * @throws {@link BackendError} `PUBLIC_KEY_MALFORMED`, `UNSUPPORTED_ALGORITHM`, as {@link spkiToRaw}.
 * @throws TypeError for a comment with a control character.
 */
export function spkiToSsh(spki: Uint8Array, keyType: KeyType, comment?: string): string {
  if (comment !== undefined && /\p{Cc}/u.test(comment)) throw new TypeError("comment must be one line of text");
  const raw = spkiToRaw(spki, keyType);
  const curve = isEcdsaKeyType(keyType) ? ecdsaCurve(keyType).sshName : undefined;
  const name = curve === undefined ? "ssh-ed25519" : `ecdsa-sha2-${curve}`;
  const fields = [name, ...(curve === undefined ? [] : [curve])].map((text) => sshString(Buffer.from(text, "ascii")));
  const blob = Buffer.concat([...fields, sshString(raw)]).toString("base64");
  return comment === undefined || comment === "" ? `${name} ${blob}` : `${name} ${blob} ${comment}`;
}

/** RFC 4251 §5: a big-endian u32 length, then the bytes. */
function sshString(bytes: Uint8Array): Buffer {
  const out = Buffer.alloc(4 + bytes.length);
  out.writeUInt32BE(bytes.length);
  out.set(bytes, 4);
  return out;
}
