import { type KeyObject, verify } from "node:crypto";
import type { KeyType } from "@basil/core";
import { onKms } from "./capabilities.js";

/**
 * Verifies with a public key on a thread of libuv's pool, so that nothing else waits meanwhile.
 *
 * @param signature - Raw: `r ‖ s` of the curve's width for ECDSA, 64 bytes for ed25519.
 */
export function verifyOffLoop(
  keyType: KeyType,
  publicKey: KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const hash = onKms({ name: keyType, path: "", keyType }).signing?.hash ?? null;
  return new Promise((resolve, reject) => {
    const key = { key: publicKey, dsaEncoding: "ieee-p1363" } as const;
    verify(hash, message, key, signature, (error, valid) => (error ? reject(error) : resolve(valid)));
  });
}
