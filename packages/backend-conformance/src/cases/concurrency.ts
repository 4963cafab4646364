import { KEY_TYPES, type TransitOperation } from "@basil/core";
import type { Rule } from "../conformance-case.js";
import { must, sameBytes } from "../must.js";
import { mustRefuseUnclaimed } from "../refuse-unclaimed.js";
import { verifiesElsewhere } from "../signature.js";
import type { Subject } from "../subject.js";

const group = "concurrency";
const IN_FLIGHT = 16;

export const concurrencyRules: readonly Rule[] = [
  { group, name: "calls in flight at once, over two keys, each get their own answer", check: signing },
  { group, name: "encryptions in flight at once each open to their own plaintext", check: encryption },
];

async function signing(subject: Subject): Promise<void> {
  const keyType = KEY_TYPES.find((type) => subject.claims(type, "sign") && subject.claims(type, "publicKey"));
  if (keyType === undefined) return mustRefuseAll(subject, "sign");
  const keys = [await subject.key(keyType), await subject.key(keyType, "second")];
  await inFlight(async (i) => {
    const key = keys[i % keys.length] ?? keys[0];
    must(key, "no key");
    const message = subject.message(keyType);
    const [{ signature }, { publicKey }] = await Promise.all([
      subject.transit.sign(key, message, subject.context()),
      subject.transit.publicKey(key, subject.context()),
    ]);
    const valid = verifiesElsewhere(keyType, publicKey, message, signature);
    must(valid !== false, `sign with ${keyType}, ${IN_FLIGHT} at once: a signature is not of its own message and key`);
  });
}

async function encryption(subject: Subject): Promise<void> {
  const keyType = KEY_TYPES.find((type) => subject.claims(type, "encrypt") && subject.claims(type, "decrypt"));
  if (keyType === undefined) return mustRefuseAll(subject, "encrypt");
  const key = await subject.key(keyType);
  await inFlight(async () => {
    const plaintext = subject.plaintext(keyType);
    const { envelope } = await subject.transit.encrypt(key, plaintext, undefined, subject.context());
    const opened = await subject.transit.decrypt(key, envelope, undefined, subject.context());
    must(sameBytes(opened.plaintext, plaintext), `encrypt with ${keyType}, ${IN_FLIGHT} at once: another's plaintext`);
  });
}

async function inFlight(work: (i: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, i) => work(i)));
}

async function mustRefuseAll(subject: Subject, operation: TransitOperation): Promise<void> {
  for (const keyType of KEY_TYPES.filter((type) => !subject.claims(type, operation))) {
    await mustRefuseUnclaimed(subject, keyType, operation);
  }
}
