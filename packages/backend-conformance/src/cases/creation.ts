import { KEY_TYPES, type KeyRef, type KeyType } from "@basil/core";
import type { Rule } from "../conformance-case.js";
import { must, mustRefuse, sameBytes } from "../must.js";
import { perKeyType } from "../per-key-type.js";
import type { Subject } from "../subject.js";

const group = "createKey";

export const creationRules: readonly Rule[] = [
  ...perKeyType(group, "the key is at its path when createKey returns, usable at once", ["createKey"], create),
  ...perKeyType(group, "a path that is taken is refused, whatever the key type", ["createKey"], taken),
  ...perKeyType(group, "of two who create at one path at once, one succeeds", ["createKey"], race),
];

async function create(subject: Subject, keyType: KeyType): Promise<void> {
  const key = subject.absentKey(keyType);
  const made = await subject.transit.createKey(key, subject.context());
  must(made.keyVersion === 1, `createKey of ${keyType}: the first version is 1, found ${made.keyVersion}`);
  must(made.resource !== "", `createKey of ${keyType}: resource must name the key`);
  const probe = await subject.backend.probe(key, subject.context());
  must(probe.state === "present", `createKey of ${keyType}: the key probes as ${probe.state} right afterwards`);
  if (subject.claims(keyType, "publicKey")) {
    const { publicKey } = await subject.transit.publicKey(key, subject.context());
    const told = made.publicKey;
    must(told !== undefined && sameBytes(told, publicKey), `createKey of ${keyType}: publicKey must be the key's own`);
  } else {
    must(made.publicKey === undefined, `createKey of ${keyType}: there is no public key to answer with`);
  }
  if (subject.claims(keyType, "sign")) {
    await subject.transit.sign(key, subject.message(keyType), subject.context());
  }
  if (subject.claims(keyType, "encrypt")) {
    await subject.transit.encrypt(key, subject.plaintext(keyType), undefined, subject.context());
  }
}

async function taken(subject: Subject, keyType: KeyType): Promise<void> {
  const key = await subject.key(keyType);
  for (const other of KEY_TYPES.filter((candidate) => subject.claims(candidate, "createKey"))) {
    const again: KeyRef = { ...key, keyType: other };
    const call = subject.transit.createKey(again, subject.context());
    await mustRefuse(`createKey of ${other} where a ${keyType} key is`, call, "KEY_EXISTS");
  }
}

async function race(subject: Subject, keyType: KeyType): Promise<void> {
  const key = subject.absentKey(keyType);
  const both = await Promise.allSettled([1, 2].map(() => subject.transit.createKey(key, subject.context())));
  const won = both.filter(({ status }) => status === "fulfilled").length;
  must(won === 1, `createKey of ${keyType}, twice at once: ${won} succeeded, one must`);
  for (const { status, ...rest } of both) {
    if (status === "fulfilled" || !("reason" in rest)) continue;
    await mustRefuse(`createKey of ${keyType}, the second of two at once`, Promise.reject(rest.reason), "KEY_EXISTS");
  }
}
