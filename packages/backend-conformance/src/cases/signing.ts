import { createHash, randomBytes } from "node:crypto";
import type { KeyRef, KeyType, SignResult } from "@basil/core";
import type { Rule } from "../conformance-case.js";
import { must, mustAnswer, mustRefuse, sameBytes } from "../must.js";
import { perKeyType } from "../per-key-type.js";
import { impossibleSignatures, signatureLength, verifiesElsewhere } from "../signature.js";
import type { Subject } from "../subject.js";

/** Bytes of a message where the backend names no limit of its own. */
const LONG_MESSAGE = 100_000;

export const signingRules: readonly Rule[] = [
  ...perKeyType(
    "sign",
    "a signature has its fixed width, its provenance, and verifies without the backend",
    ["sign"],
    sign,
  ),
  ...perKeyType("sign", "the whole message is signed, also one that is as long as a digest", ["sign"], digestLong),
  ...perKeyType("sign", "messages at each end of the range are signed, and beyond it refused", ["sign"], signSizes),
  ...perKeyType("sign", "the message is left as it was, and answers share no bytes", ["sign"], ownBytes),
  ...perKeyType("verify", "the backend verifies what it signed, and nothing else", ["sign", "verify"], verify),
  ...perKeyType("verify", "no crafted signature verifies", ["sign", "verify"], crafted),
  ...perKeyType("verify", "a signature of another width is malformed", ["verify"], widths),
  ...perKeyType("verify", "messages beyond the range are refused", ["verify"], verifySizes),
];

async function sign(subject: Subject, keyType: KeyType): Promise<void> {
  const key = await subject.key(keyType);
  const message = subject.message(keyType);
  await mustVerifyElsewhere(subject, key, message, await subject.transit.sign(key, message, subject.context()));
}

/** A backend that takes a message of 32, 48 or 64 bytes for a digest makes signatures that others do not verify. */
async function digestLong(subject: Subject, keyType: KeyType): Promise<void> {
  const key = await subject.key(keyType);
  const { min, max = LONG_MESSAGE } = subject.messageRange(keyType);
  for (const hash of ["sha256", "sha384", "sha512"]) {
    const message = Uint8Array.from(createHash(hash).update(randomBytes(8)).digest());
    if (message.length < min || message.length > max) continue;
    await mustVerifyElsewhere(subject, key, message, await subject.transit.sign(key, message, subject.context()));
  }
}

async function mustVerifyElsewhere(
  subject: Subject,
  key: KeyRef,
  message: Uint8Array,
  signed: SignResult,
): Promise<void> {
  const { keyType } = key;
  const { signature, keyVersion, resource } = signed;
  must(signature instanceof Uint8Array, `sign with ${keyType}: signature must be a Uint8Array`);
  const width = signatureLength(keyType);
  must(signature.length === width, `sign with ${keyType}: ${width} bytes expected, found ${signature.length}`);
  must(Number.isSafeInteger(keyVersion) && keyVersion >= 1, `sign with ${keyType}: keyVersion is ${keyVersion}`);
  must(typeof resource === "string" && resource !== "", `sign with ${keyType}: resource must name the key`);
  if (!subject.claims(keyType, "publicKey")) return;
  const { publicKey } = await subject.transit.publicKey(key, subject.context());
  const valid = verifiesElsewhere(keyType, publicKey, message, signature);
  must(
    valid !== false,
    `sign with ${keyType}: the signature of ${message.length} bytes does not verify by its public key`,
  );
}

async function signSizes(subject: Subject, keyType: KeyType): Promise<void> {
  const { min, max } = subject.messageRange(keyType);
  const key = await subject.key(keyType);
  for (const length of [min, max ?? LONG_MESSAGE]) {
    const message = Uint8Array.from(randomBytes(length));
    await mustVerifyElsewhere(subject, key, message, await subject.transit.sign(key, message, subject.context()));
  }
  const sign = (message: Uint8Array) => subject.transit.sign(subject.absentKey(keyType), message, subject.context());
  await mustRefuseBeyond(subject, keyType, "sign", sign);
}

async function verifySizes(subject: Subject, keyType: KeyType): Promise<void> {
  const signature = new Uint8Array(signatureLength(keyType)).fill(0x11);
  const verify = (message: Uint8Array) =>
    subject.transit.verify(subject.absentKey(keyType), message, signature, subject.context());
  await mustRefuseBeyond(subject, keyType, "verify", verify);
}

/** With a key that is not there, so that the size is what is refused before anything is looked for. */
async function mustRefuseBeyond(
  subject: Subject,
  keyType: KeyType,
  operation: string,
  call: (message: Uint8Array) => Promise<unknown>,
): Promise<void> {
  const { min, max } = subject.messageRange(keyType);
  if (min > 0) {
    const what = `${operation} with ${keyType}, ${min - 1} bytes where ${min} is the least`;
    await mustRefuse(what, call(new Uint8Array(min - 1)), "INVALID_REQUEST");
  }
  if (max === undefined) return;
  const what = `${operation} with ${keyType}, ${max + 1} bytes where ${max} is the most`;
  const error = await mustRefuse(what, call(new Uint8Array(max + 1)), "PAYLOAD_TOO_LARGE");
  if (error.code !== "PAYLOAD_TOO_LARGE") return;
  const { limit, actual } = error.details;
  must(limit === max && actual === max + 1, `${what}: details must say so, found limit ${limit}, actual ${actual}`);
}

async function ownBytes(subject: Subject, keyType: KeyType): Promise<void> {
  const key = await subject.key(keyType);
  const message = subject.message(keyType);
  const before = Uint8Array.from(message);
  const first = await subject.transit.sign(key, message, subject.context());
  must(sameBytes(message, before), `sign with ${keyType}: the caller's message was changed`);
  first.signature.fill(0);
  await mustVerifyElsewhere(subject, key, message, await subject.transit.sign(key, message, subject.context()));
}

async function verify(subject: Subject, keyType: KeyType): Promise<void> {
  const [key, other] = [await subject.key(keyType), await subject.key(keyType, "second")];
  const message = subject.message(keyType);
  const { signature } = await subject.transit.sign(key, message, subject.context());
  const valid = await subject.transit.verify(key, message, signature, subject.context());
  must(valid.valid === true, `verify with ${keyType}: its own signature is said not to verify`);
  must(
    valid.keyVersion >= 1 && valid.resource !== "",
    `verify with ${keyType}: keyVersion and resource must name the key`,
  );
  const changed = Uint8Array.from(message);
  changed[0] = (changed[0] ?? 0) ^ 1;
  const damaged = Uint8Array.from(signature);
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
  for (const [what, by, text, proof] of [
    ["another message", key, changed, signature],
    ["a damaged signature", key, message, damaged],
    ["another key", other, message, signature],
  ] as const) {
    if (text.length < subject.messageRange(keyType).min) continue;
    const call = subject.transit.verify(by, text, proof, subject.context());
    const answer = await mustAnswer(`verify with ${keyType}, ${what}`, call);
    must(answer.valid === false, `verify with ${keyType}: ${what} must give { valid: false }, gave ${answer.valid}`);
  }
}

async function crafted(subject: Subject, keyType: KeyType): Promise<void> {
  const key = await subject.key(keyType);
  const message = subject.message(keyType);
  const { signature } = await subject.transit.sign(key, message, subject.context());
  for (const [what, candidate] of impossibleSignatures(keyType, signature)) {
    const call = subject.transit.verify(key, message, candidate, subject.context());
    const answer = await mustAnswer(`verify with ${keyType}, a signature of ${what}`, call);
    must(answer.valid === false, `verify with ${keyType}: a signature of ${what} must give { valid: false }`);
  }
}

async function widths(subject: Subject, keyType: KeyType): Promise<void> {
  const width = signatureLength(keyType);
  const message = subject.message(keyType);
  for (const length of [0, width - 1, width + 1]) {
    const call = subject.transit.verify(subject.absentKey(keyType), message, new Uint8Array(length), subject.context());
    await mustRefuse(`verify with ${keyType}, a signature of ${length} bytes`, call, "SIGNATURE_MALFORMED");
  }
}
