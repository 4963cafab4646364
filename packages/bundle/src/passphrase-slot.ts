import { BundleError } from "./errors.js";
import { SCRYPT_LOG_N } from "./limits.js";
import { unwrapWithScrypt, wrapWithScrypt } from "./scrypt-stanza.js";
import type { SlotProvider } from "./slot.js";

export interface PassphraseSlotOptions {
  /** @internal The scrypt cost to write, 1 to 18. Below 18 it is for tests, where half a second a slot is too long. */
  readonly logN?: number;
}

/**
 * A slot that opens with a passphrase: an age scrypt stanza, so that the `age` program opens it too.
 *
 * @param passphrase - The bytes as they are, at least one. Held, not copied: zero them when the provider is done with.
 * @throws {@link BundleError} `SECRET_INVALID` for an empty passphrase.
 */
export function passphraseSlot(passphrase: Uint8Array, options: PassphraseSlotOptions = {}): SlotProvider {
  if (passphrase.length === 0) {
    throw new BundleError("SECRET_INVALID", "the passphrase is empty", { kind: "passphrase" });
  }
  return scryptSlot("passphrase", passphrase, options.logN);
}

/** @internal */
export function scryptSlot(kind: string, secret: Uint8Array, logN: number = SCRYPT_LOG_N): SlotProvider {
  if (!Number.isInteger(logN) || logN < 1 || logN > SCRYPT_LOG_N)
    throw new TypeError(`logN is ${logN}, not 1 to ${SCRYPT_LOG_N}`);
  return {
    kind,
    wrap: (fileKey) => wrapWithScrypt(fileKey, secret, logN),
    unwrap: (stanza) => unwrapWithScrypt(stanza, secret),
  };
}
