import { randomBytes } from "node:crypto";
import type { CiphertextEnvelope, KeyRef, KeyType } from "@basil/core";
import type { Rule } from "../conformance-case.js";
import { must, mustRefuse, sameBytes } from "../must.js";
import { perKeyType } from "../per-key-type.js";
import type { Subject } from "../subject.js";

const both = ["encrypt", "decrypt"] as const;
const LONG_PLAINTEXT = 1_048_576;

export const encryptionRules: readonly Rule[] = [
  ...perKeyType("encrypt", "what is encrypted decrypts to the same bytes, with its provenance", both, roundTrip),
  ...perKeyType("encrypt", "the same plaintext never gives the same ciphertext", ["encrypt"], fresh),
  ...perKeyType("encrypt", "plaintexts at each end of the range are encrypted, and beyond it refused", both, sizes),
  ...perKeyType("decrypt", "another AAD is refused; absent and empty are different", both, associatedData),
  ...perKeyType("decrypt", "another key and any damage are one opaque refusal", both, opaque),
  ...perKeyType("decrypt", "a version that is not there is refused", both, versions),
];

async function roundTrip(subject: Subject, keyType: KeyType): Promise<void> {
  const key = await subject.key(keyType);
  const plaintext = subject.plaintext(keyType);
  for (const aad of [undefined, new Uint8Array(), Uint8Array.from(randomBytes(40))]) {
    const [text, data] = [Uint8Array.from(plaintext), aad?.slice()];
    const { envelope, resource } = await subject.transit.encrypt(key, text, data, subject.context());
    const untouched = sameBytes(text, plaintext) && (data === undefined || sameBytes(data, aad ?? data));
    must(untouched, `encrypt with ${keyType}: the caller's plaintext or AAD was changed`);
    must(
      envelope.keyVersion >= 1 && resource !== "",
      `encrypt with ${keyType}: keyVersion and resource must name the key`,
    );
    text.fill(0);
    const whole = Uint8Array.of(...envelope.nonce, ...envelope.ciphertext);
    must(!contains(whole, plaintext), `encrypt with ${keyType}: the ciphertext holds the plaintext`);
    const opened = await subject.transit.decrypt(key, envelope, aad, subject.context());
    must(sameBytes(opened.plaintext, plaintext), `decrypt with ${keyType}: other bytes came back`);
    must(opened.keyVersion === envelope.keyVersion, `decrypt with ${keyType}: keyVersion is not the envelope's`);
    opened.plaintext.fill(0);
    const again = await subject.transit.decrypt(key, envelope, aad, subject.context());
    must(sameBytes(again.plaintext, plaintext), `decrypt with ${keyType}: what was given away was not its own copy`);
  }
}

async function fresh(subject: Subject, keyType: KeyType): Promise<void> {
  const key = await subject.key(keyType);
  const plaintext = subject.plaintext(keyType);
  const one = await subject.transit.encrypt(key, plaintext, undefined, subject.context());
  const two = await subject.transit.encrypt(key, plaintext, undefined, subject.context());
  const repeated = sameBytes(one.envelope.ciphertext, two.envelope.ciphertext);
  must(!repeated, `encrypt with ${keyType}: the same ciphertext twice, so the nonce repeats`);
}

async function sizes(subject: Subject, keyType: KeyType): Promise<void> {
  const { min, max } = subject.plaintextRange(keyType);
  const key = await subject.key(keyType);
  for (const length of [min, max ?? LONG_PLAINTEXT]) {
    const plaintext = Uint8Array.from(randomBytes(length));
    const { envelope } = await subject.transit.encrypt(key, plaintext, undefined, subject.context());
    const opened = await subject.transit.decrypt(key, envelope, undefined, subject.context());
    must(sameBytes(opened.plaintext, plaintext), `decrypt with ${keyType}: ${length} bytes did not come back`);
  }
  const encrypt = (length: number) =>
    subject.transit.encrypt(subject.absentKey(keyType), new Uint8Array(length), undefined, subject.context());
  if (min > 0) {
    await mustRefuse(`encrypt with ${keyType}, ${min - 1} bytes`, encrypt(min - 1), "INVALID_REQUEST");
  }
  if (max === undefined) return;
  const what = `encrypt with ${keyType}, ${max + 1} bytes where ${max} is the most`;
  const error = await mustRefuse(what, encrypt(max + 1), "PAYLOAD_TOO_LARGE");
  if (error.code !== "PAYLOAD_TOO_LARGE") return;
  const { limit, actual } = error.details;
  must(limit === max && actual === max + 1, `${what}: details must say so, found limit ${limit}, actual ${actual}`);
}

async function associatedData(subject: Subject, keyType: KeyType): Promise<void> {
  const key = await subject.key(keyType);
  const aad = Uint8Array.of(1, 2, 3);
  const candidates = [undefined, new Uint8Array(), aad, Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3, 0)];
  for (const sealed of [undefined, new Uint8Array(), aad]) {
    const { envelope } = await subject.transit.encrypt(key, subject.plaintext(keyType), sealed, subject.context());
    for (const tried of candidates) {
      if (tried === sealed || (tried !== undefined && sealed !== undefined && sameBytes(tried, sealed))) continue;
      const what = `decrypt with ${keyType}, AAD ${nameOf(tried)} where ${nameOf(sealed)} was bound`;
      await mustRefuse(what, subject.transit.decrypt(key, envelope, tried, subject.context()), "DECRYPT_FAILED");
    }
  }
}

async function opaque(subject: Subject, keyType: KeyType): Promise<void> {
  const [key, other] = [await subject.key(keyType), await subject.key(keyType, "second")];
  const plaintext = subject.plaintext(keyType);
  const { envelope } = await subject.transit.encrypt(key, plaintext, undefined, subject.context());
  const { ciphertext, nonce } = envelope;
  const damaged: [string, KeyRef, CiphertextEnvelope][] = [
    ["another key", other, envelope],
    ["a ciphertext cut by one byte", key, { ...envelope, ciphertext: ciphertext.subarray(0, -1) }],
    ["a ciphertext with a byte behind it", key, { ...envelope, ciphertext: Uint8Array.of(...ciphertext, 0) }],
    ["random bytes", key, { ...envelope, ciphertext: Uint8Array.from(randomBytes(ciphertext.length)) }],
  ];
  for (const at of [0, ciphertext.length >> 1, ciphertext.length - 1]) {
    damaged.push([`a bit flipped in byte ${at}`, key, { ...envelope, ciphertext: flipped(ciphertext, at) }]);
  }
  if (nonce.length > 0) damaged.push(["a bit flipped in the nonce", key, { ...envelope, nonce: flipped(nonce, 0) }]);
  const told = new Set<string>();
  for (const [what, by, candidate] of damaged) {
    const call = subject.transit.decrypt(by, candidate, undefined, subject.context());
    const { message, details } = await mustRefuse(`decrypt with ${keyType}, ${what}`, call, "DECRYPT_FAILED");
    must(Object.keys(details).length === 0, `decrypt with ${keyType}, ${what}: DECRYPT_FAILED must carry no details`);
    if (by === key) told.add(message);
  }
  must(
    told.size === 1,
    `decrypt with ${keyType}: DECRYPT_FAILED tells ${told.size} kinds of damage apart by its message`,
  );
}

async function versions(subject: Subject, keyType: KeyType): Promise<void> {
  const key = await subject.key(keyType);
  const { envelope } = await subject.transit.encrypt(key, subject.plaintext(keyType), undefined, subject.context());
  const other = { ...envelope, keyVersion: envelope.keyVersion + 1000 };
  const call = subject.transit.decrypt(key, other, undefined, subject.context());
  const what = `decrypt with ${keyType}, an envelope of a version that is not there`;
  await mustRefuse(what, call, "KEY_NOT_FOUND", "DECRYPT_FAILED");
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const out = Uint8Array.from(bytes);
  out[at] = (out[at] ?? 0) ^ 1;
  return out;
}

/** Only for plaintexts long enough that chance is out of the question. */
function contains(haystack: Uint8Array, needle: Uint8Array): boolean {
  return needle.length >= 16 && Buffer.from(haystack).includes(Buffer.from(needle));
}

function nameOf(aad: Uint8Array | undefined): string {
  if (aad === undefined) return "absent";
  return aad.length === 0 ? "empty" : `of ${aad.length} bytes`;
}
