import type { KeyType } from "@basil/catalog";
import { ECDSA_KEY_TYPES, type EcdsaKeyType, ecdsaCurve, isEcdsaKeyType } from "./curves.js";
import { BackendError } from "./errors.js";
import { rawToSpki, spkiToRaw } from "./spki.js";
import { SshReader, sshString } from "./ssh-wire.js";

// The public key blob of SSH, strings all:
//   Ed25519 (RFC 8709 §4):   "ssh-ed25519", 32 bytes
//   ECDSA (RFC 5656 §3.1):   "ecdsa-sha2-" curve, curve, 04 ‖ X ‖ Y

const ED25519_NAME = "ssh-ed25519";

/** The name SSH has for keys and signatures of this type. @internal */
export function sshKeyName(keyType: KeyType): string {
  return isEcdsaKeyType(keyType) ? `ecdsa-sha2-${ecdsaCurve(keyType).sshName}` : ED25519_NAME;
}

/** The blob of an SPKI DER. @throws {@link BackendError} as {@link spkiToRaw}. @internal */
export function spkiToSshBlob(spki: Uint8Array, keyType: KeyType): Uint8Array {
  const raw = spkiToRaw(spki, keyType);
  const curve = isEcdsaKeyType(keyType) ? [sshString(ecdsaCurve(keyType).sshName)] : [];
  return Uint8Array.from(Buffer.concat([sshString(sshKeyName(keyType)), ...curve, sshString(raw)]));
}

/** The inverse of {@link spkiToSshBlob}. @throws {@link BackendError} `PUBLIC_KEY_MALFORMED`, `UNSUPPORTED_ALGORITHM`. @internal */
export function sshBlobToSpki(blob: Uint8Array): { spki: Uint8Array; keyType: "ed25519" | EcdsaKeyType } {
  const reader = new SshReader(blob, malformed);
  const name = reader.text("key type");
  const keyType = (["ed25519", ...ECDSA_KEY_TYPES] as const).find((type) => sshKeyName(type) === name);
  if (keyType === undefined) {
    const shown = JSON.stringify(name.slice(0, 64));
    throw new BackendError(
      "UNSUPPORTED_ALGORITHM",
      `SSH keys of type ${shown} are not read; allowed: ${ED25519_NAME}, ${ECDSA_KEY_TYPES.map(sshKeyName).join(", ")}`,
      {},
    );
  }
  if (isEcdsaKeyType(keyType) && reader.text("curve") !== ecdsaCurve(keyType).sshName) {
    throw malformed("a curve that is not the one of its type");
  }
  const raw = reader.string("key");
  reader.end("key");
  return { spki: rawToSpki(raw, keyType), keyType };
}

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
  const blob = Buffer.from(spkiToSshBlob(spki, keyType)).toString("base64");
  const name = sshKeyName(keyType);
  return comment === undefined || comment === "" ? `${name} ${blob}` : `${name} ${blob} ${comment}`;
}

/**
 * The SPKI DER in one line as {@link spkiToSsh} writes it, or `ssh-keygen` into a `.pub` file; the comment is left out.
 *
 * @param line - Type, base64 and perhaps a comment, between blanks; no options before them.
 * @throws {@link BackendError} `PUBLIC_KEY_MALFORMED`; `UNSUPPORTED_ALGORITHM` for RSA, DSA and security keys.
 */
export function sshToSpki(line: string): Uint8Array {
  const [name, text = ""] = line.trim().split(/[ \t]+/u);
  if (/[\r\n]/u.test(line.trim())) throw malformed("more than one line");
  const blob = Buffer.from(text, "base64");
  // Buffer skips what is not base64, so only text that comes back unchanged was base64.
  if (blob.length === 0 || blob.toString("base64") !== text) throw malformed("no base64 behind the type");
  const { spki, keyType } = sshBlobToSpki(blob);
  if (name !== sshKeyName(keyType)) throw malformed("a type that is not the one of the key behind it");
  return spki;
}

function malformed(reason: string): BackendError {
  return new BackendError("PUBLIC_KEY_MALFORMED", `not an SSH public key: ${reason}`, {});
}
