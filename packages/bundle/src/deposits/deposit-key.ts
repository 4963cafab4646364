import { createPrivateKey, createPublicKey, randomBytes } from "node:crypto";
import type { Draft } from "../draft.js";
import { encodeToken } from "../token.js";

/** The fixed DER in front of a raw X25519 private key (RFC 8410 §7). */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b656e04220420", "hex");

/** The X25519 public half of 32 private bytes. */
function depositRecipientOf(privateKey: Uint8Array): Uint8Array {
  const der = Buffer.concat([PKCS8_PREFIX, privateKey]);
  try {
    const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    return new Uint8Array(createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32));
  } finally {
    der.fill(0);
  }
}

/** Gives the bundle a deposit key unless it has one. Returns the recipient, 43 characters base64url. */
export function makeDepositKey(draft: Draft): string {
  if (draft.depositKey !== undefined && draft.deposits.recipient !== null) return draft.deposits.recipient;
  return replaceDepositKey(draft);
}

/** Gives the bundle a new deposit key and zeroes the one before. Returns the new recipient, 43 characters base64url. */
export function replaceDepositKey(draft: Draft): string {
  draft.depositKey?.fill(0);
  draft.depositKey = new Uint8Array(randomBytes(32));
  draft.deposits.recipient = encodeToken(depositRecipientOf(draft.depositKey));
  draft.changed = true;
  return draft.deposits.recipient;
}
