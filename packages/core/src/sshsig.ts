import { createHash } from "node:crypto";
import type { KeyType } from "@basil/catalog";
import { type EcdsaKeyType, ecdsaCurve, isEcdsaKeyType } from "./curves.js";
import { BackendError } from "./errors.js";
import { spkiToSshBlob, sshBlobToSpki, sshKeyName } from "./public-key-ssh.js";
import { requireBytes } from "./require-bytes.js";
import { SshReader, sshString, sshUnsignedMpint } from "./ssh-wire.js";
import { armor, armorLabel, dearmor } from "./text-armor.js";
import { verifySignature } from "./verify-signature.js";

// The signature of `ssh-keygen -Y sign` (OpenSSH PROTOCOL.sshsig):
//   file     "SSHSIG", uint32 1, string public key, string namespace, string reserved, string hash, string signature
//   signed   "SSHSIG", string namespace, string reserved, string hash, string H(message)
//   signature of Ed25519 (RFC 8709 §6):  string "ssh-ed25519", string 64 bytes
//   signature of ECDSA (RFC 5656 §3.1.2): string "ecdsa-sha2-" curve, string { mpint r, mpint s }

const MAGIC = new TextEncoder().encode("SSHSIG");
const VERSION = 1;
const SIGNATURE = armorLabel("SSH SIGNATURE");
/** As OpenSSH writes it. */
const LINE = 70;
const NO_BYTES = new Uint8Array();

/** What the message is hashed with before it is signed. */
export type SshsigHash = "sha256" | "sha512";

/** Every hash of an SSH signature, the usual one first. */
export const SSHSIG_HASHES = ["sha512", "sha256"] as const satisfies readonly SshsigHash[];

/** What an SSH signature says besides the signature. */
export interface SshsigContext {
  /** What the signature is for, e.g. `file` or `git`: one for another purpose is not valid. Not empty, no control characters. */
  readonly namespace: string;
  /** Default: `sha512`. */
  readonly hash?: SshsigHash;
}

/** The parts of an SSH signature. */
export interface Sshsig extends Required<SshsigContext> {
  readonly keyType: "ed25519" | EcdsaKeyType;
  /** SPKI DER of the key that is said to have signed. Whether it is trusted is not said. */
  readonly publicKey: Uint8Array;
  /** 64 bytes of Ed25519; `r ‖ s` of 64, 96 or 132 bytes. */
  readonly signature: Uint8Array;
}

export interface EncodeSshsigInput extends SshsigContext {
  /** ed25519, ed25519-nkey, ecdsa-p256, ecdsa-p384 or ecdsa-p521. */
  readonly keyType: KeyType;
  /** SPKI DER of that key type. */
  readonly publicKey: Uint8Array;
  /** Over {@link sshsigSignedData}, with the hash of the key's curve: 64 bytes, or `r ‖ s` of 64, 96 or 132. */
  readonly signature: Uint8Array;
}

export interface VerifySshsigInput {
  /** The armored text. */
  readonly signature: string;
  /** The whole message, of any length. */
  readonly message: Uint8Array;
  /** The one the signature has to be for. */
  readonly namespace: string;
  /** SPKI DER of the key that is trusted. */
  readonly publicKey: Uint8Array;
}

/**
 * What a key signs for an SSH signature of the message: under 200 bytes and the namespace, however long the message is.
 *
 * @throws TypeError for an empty namespace, one with control characters, or another hash.
 */
export function sshsigSignedData(message: Uint8Array, { namespace, hash = "sha512" }: SshsigContext): Uint8Array {
  requireBytes(message, "message");
  requireContext(namespace, hash);
  const digest = createHash(hash).update(message).digest();
  const fields = [sshString(namespace), sshString(NO_BYTES), sshString(hash), sshString(digest)];
  return Uint8Array.from(Buffer.concat([MAGIC, ...fields]));
}

/**
 * An SSH signature as armored text, byte for byte as `ssh-keygen -Y sign` writes it.
 *
 * @throws {@link BackendError} `SIGNATURE_MALFORMED` for a signature of the wrong width; `PUBLIC_KEY_MALFORMED`; `UNSUPPORTED_ALGORITHM`.
 * @throws TypeError as {@link sshsigSignedData}.
 */
export function encodeSshsig(input: EncodeSshsigInput): string {
  const { keyType, publicKey, signature, namespace, hash = "sha512" } = input;
  requireBytes(signature, "signature");
  requireContext(namespace, hash);
  const blob = spkiToSshBlob(publicKey, keyType);
  const bytes = isEcdsaKeyType(keyType) ? ecdsaCurve(keyType).bytes : 32;
  if (signature.length !== 2 * bytes) {
    throw refuse(`a signature of ${keyType} has ${2 * bytes} bytes, found ${signature.length}`);
  }
  const value = isEcdsaKeyType(keyType)
    ? Buffer.concat([sshUnsignedMpint(signature.subarray(0, bytes)), sshUnsignedMpint(signature.subarray(bytes))])
    : signature;
  const signed = Buffer.concat([sshString(sshKeyName(keyType)), sshString(value)]);
  const fields = [blob, new TextEncoder().encode(namespace), NO_BYTES, new TextEncoder().encode(hash), signed];
  return armor(Buffer.concat([MAGIC, Uint8Array.of(0, 0, 0, VERSION), ...fields.map(sshString)]), SIGNATURE, LINE);
}

/**
 * The parts of an armored SSH signature. Nothing is verified. Read strictly: one block, shortest integers, nothing behind;
 * the reserved field must be empty, since what stands there is not signed.
 *
 * @throws {@link BackendError} `SIGNATURE_MALFORMED`; `PUBLIC_KEY_MALFORMED` for the key in it; `UNSUPPORTED_ALGORITHM` for
 *   RSA, DSA and security keys.
 */
export function decodeSshsig(text: string): Sshsig {
  const bytes = dearmor(text, SIGNATURE);
  if (bytes === undefined) throw refuse(`not one block "${SIGNATURE.begin}"`);
  const file = new SshReader(bytes, refuse);
  if (!MAGIC.every((byte, at) => bytes[at] === byte)) throw refuse('it does not begin with "SSHSIG"');
  file.bytes(MAGIC.length, "magic");
  const version = file.uint32("version");
  if (version !== VERSION) throw refuse(`version ${version}, expected ${VERSION}`);
  const { spki: publicKey, keyType } = sshBlobToSpki(file.string("public key"));
  const namespace = file.text("namespace");
  if (!isNamespace(namespace)) throw refuse("namespace: empty, or with control characters");
  if (file.string("reserved").length > 0) throw refuse("reserved: not empty");
  const said = file.text("hash");
  const hash = SSHSIG_HASHES.find((known) => known === said);
  if (hash === undefined)
    throw refuse(`hash: ${JSON.stringify(said.slice(0, 32))}; allowed: ${SSHSIG_HASHES.join(", ")}`);
  const signature = readSignature(new SshReader(file.string("signature"), refuse), keyType);
  file.end("signature");
  return { keyType, publicKey, namespace, hash, signature };
}

/**
 * Whether the armored text is an SSH signature of this message, for this namespace, by the key that is trusted. Found out on
 * this machine; it blocks as {@link verifySignature} does.
 *
 * @throws {@link BackendError} as {@link decodeSshsig}, and `PUBLIC_KEY_MALFORMED` for the trusted key.
 * @throws TypeError as {@link sshsigSignedData}.
 */
export function verifySshsig({ signature: text, message, namespace, publicKey }: VerifySshsigInput): boolean {
  const { keyType, hash, signature, ...found } = decodeSshsig(text);
  const signed = sshsigSignedData(message, { namespace, hash });
  requireBytes(publicKey, "publicKey");
  const same = Buffer.compare(found.publicKey, publicKey) === 0 && found.namespace === namespace;
  return same && verifySignature({ keyType, publicKey, message: signed, signature });
}

function readSignature(reader: SshReader, keyType: "ed25519" | EcdsaKeyType): Uint8Array {
  const name = reader.text("signature type");
  if (name !== sshKeyName(keyType))
    throw refuse(`signature type: ${JSON.stringify(name.slice(0, 64))} by another key type`);
  const value = reader.string("signature");
  reader.end("signature");
  if (keyType === "ed25519") {
    if (value.length !== 64) throw refuse(`an Ed25519 signature has 64 bytes, found ${value.length}`);
    return Uint8Array.from(value);
  }
  const { bytes } = ecdsaCurve(keyType);
  const pair = new SshReader(value, refuse);
  const raw = new Uint8Array(2 * bytes);
  for (const [name, end] of [
    ["r", bytes],
    ["s", 2 * bytes],
  ] as const) {
    const integer = pair.unsignedMpint(name);
    if (integer.length > bytes) throw refuse(`${name}: ${integer.length} bytes, at most ${bytes}`);
    raw.set(integer, end - integer.length);
  }
  pair.end("signature");
  return raw;
}

function isNamespace(namespace: unknown): boolean {
  return typeof namespace === "string" && namespace !== "" && namespace.isWellFormed() && !/\p{Cc}/u.test(namespace);
}

function requireContext(namespace: string, hash: string): void {
  if (!isNamespace(namespace))
    throw new TypeError("namespace must be a text that is not empty, without control characters");
  if (!(SSHSIG_HASHES as readonly string[]).includes(hash)) {
    throw new TypeError(`hash must be one of ${SSHSIG_HASHES.join(", ")}, not ${String(hash)}`);
  }
}

function refuse(reason: string): BackendError {
  return new BackendError("SIGNATURE_MALFORMED", `not an SSH signature: ${reason}`, {});
}
