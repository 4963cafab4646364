import { generateMnemonic, validateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { BundleError } from "./errors.js";
import { type PassphraseSlotOptions, scryptSlot } from "./passphrase-slot.js";
import type { SlotProvider } from "./slot.js";

const WORDS = 24;

/** A fresh phrase of 24 English words: 256 bits and a checksum (BIP-39). It is a string, so it cannot be zeroed. */
export function generatePhrase(): string {
  return generateMnemonic(wordlist, 256);
}

/**
 * A slot that opens with 24 BIP-39 words. What is stretched is the phrase itself, in lower case with one space between
 * words, so that it can be typed as the passphrase of the `age` program.
 *
 * @throws {@link BundleError} `SECRET_INVALID` for anything but 24 known words with the right checksum.
 */
export function bip39Slot(phrase: string, options: PassphraseSlotOptions = {}): SlotProvider {
  const words = phrase.normalize("NFKD").toLowerCase().trim().split(/\s+/);
  if (words.length !== WORDS) {
    throw new BundleError("SECRET_INVALID", `the phrase is ${words.length} words, not ${WORDS}`, { kind: "bip39" });
  }
  const unknown = words.findIndex((word) => !wordlist.includes(word));
  if (unknown !== -1) {
    throw new BundleError("SECRET_INVALID", `word ${unknown + 1} of the phrase is not in the BIP-39 English list`, {
      kind: "bip39",
    });
  }
  const canonical = words.join(" ");
  if (!validateMnemonic(canonical, wordlist)) {
    throw new BundleError(
      "SECRET_INVALID",
      "the checksum of the phrase does not match: a word is wrong or out of place",
      { kind: "bip39" },
    );
  }
  return scryptSlot("bip39", new TextEncoder().encode(canonical), options.logN);
}
