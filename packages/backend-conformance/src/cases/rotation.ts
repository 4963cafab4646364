import type { KeyType } from "@basil/core";
import type { Rule } from "../conformance-case.js";
import { must, mustAnswer, sameBytes } from "../must.js";
import { perKeyType } from "../per-key-type.js";
import type { Subject } from "../subject.js";

const group = "rotate";
const needed = ["rotate", "createKey"] as const;

export const rotationRules: readonly Rule[] = [
  ...perKeyType(group, "the version grows by one, and a probe shows it", needed, version),
  ...perKeyType(
    group,
    "a new key signs, and what the old one signed still verifies",
    [...needed, "sign", "verify"],
    signing,
  ),
  ...perKeyType(group, "both public keys are answered by their version", [...needed, "publicKey"], publicKeys),
  ...perKeyType(group, "what was encrypted before decrypts", [...needed, "encrypt", "decrypt"], encryption),
];

async function version(subject: Subject, keyType: KeyType): Promise<void> {
  const key = await subject.freshKey(keyType);
  for (const expected of [2, 3]) {
    const { keyVersion, resource } = await rotate(subject, key);
    must(keyVersion === expected, `rotate of ${keyType}: version ${expected} expected, found ${keyVersion}`);
    must(resource !== "", `rotate of ${keyType}: resource must name the key`);
    const probe = await subject.backend.probe(key, subject.context());
    const latest = probe.state === "present" ? probe.latestVersion : probe.state;
    must(latest === expected, `rotate of ${keyType}: a probe must find version ${expected}, found ${latest}`);
  }
}

async function signing(subject: Subject, keyType: KeyType): Promise<void> {
  const key = await subject.freshKey(keyType);
  const message = subject.message(keyType);
  const old = await subject.transit.sign(key, message, subject.context());
  await rotate(subject, key);
  const fresh = await subject.transit.sign(key, message, subject.context());
  must(fresh.keyVersion === old.keyVersion + 1, `sign with ${keyType} after rotate: version ${fresh.keyVersion}`);
  for (const { signature, keyVersion } of [old, fresh]) {
    const answer = await subject.transit.verify(key, message, signature, subject.context());
    must(answer.valid, `verify with ${keyType} after rotate: the signature of version ${keyVersion} does not verify`);
  }
}

async function publicKeys(subject: Subject, keyType: KeyType): Promise<void> {
  const key = await subject.freshKey(keyType);
  const old = await subject.transit.publicKey(key, subject.context());
  await rotate(subject, key);
  const fresh = await subject.transit.publicKey(key, subject.context());
  const changed = fresh.keyVersion === 2 && !sameBytes(fresh.publicKey, old.publicKey);
  must(changed, `publicKey of ${keyType} after rotate: must be another, of version 2`);
  const kept = await subject.transit.publicKey(key, subject.context(), { version: 1 });
  must(sameBytes(kept.publicKey, old.publicKey), `publicKey of ${keyType} after rotate: version 1 must be the old one`);
}

async function encryption(subject: Subject, keyType: KeyType): Promise<void> {
  const key = await subject.freshKey(keyType);
  const plaintext = subject.plaintext(keyType);
  const old = await subject.transit.encrypt(key, plaintext, undefined, subject.context());
  await rotate(subject, key);
  const fresh = await subject.transit.encrypt(key, plaintext, undefined, subject.context());
  must(fresh.envelope.keyVersion === 2, `encrypt with ${keyType} after rotate: version ${fresh.envelope.keyVersion}`);
  for (const { envelope } of [old, fresh]) {
    const call = subject.transit.decrypt(key, envelope, undefined, subject.context());
    const opened = await mustAnswer(`decrypt with ${keyType} after rotate, version ${envelope.keyVersion}`, call);
    const same = sameBytes(opened.plaintext, plaintext);
    must(same, `decrypt with ${keyType} after rotate: version ${envelope.keyVersion} gave other bytes`);
  }
}

async function rotate(subject: Subject, key: Parameters<Subject["transit"]["createKey"]>[0]) {
  must(subject.transit.rotate, "rotate is claimed, and the engine has no such method");
  return subject.transit.rotate(key, subject.context());
}
