import { isEcdsaKeyType, isEd25519KeyType, type KeyType, spkiToRaw } from "@basil/core";
import type { Rule } from "../conformance-case.js";
import { must, mustAnswer, mustRefuse, sameBytes } from "../must.js";
import { perKeyType } from "../per-key-type.js";
import type { Subject } from "../subject.js";

const group = "publicKey";

export const publicKeyRules: readonly Rule[] = [
  ...perKeyType(
    group,
    "it is SPKI DER of the key type, the same each time, another for another key",
    ["publicKey"],
    same,
  ),
  ...perKeyType(
    group,
    "a version is answered by its number, and one that is not there is not found",
    ["publicKey"],
    versions,
  ),
];

async function same(subject: Subject, keyType: KeyType): Promise<void> {
  const key = await subject.key(keyType);
  const first = await subject.transit.publicKey(key, subject.context());
  must(first.publicKey instanceof Uint8Array, `publicKey of ${keyType} must be a Uint8Array`);
  must(first.keyType === keyType, `publicKey of ${keyType} says that its key type is ${first.keyType}`);
  must(
    first.keyVersion >= 1 && first.resource !== "",
    `publicKey of ${keyType}: keyVersion and resource must name the key`,
  );
  if (isEcdsaKeyType(keyType) || isEd25519KeyType(keyType)) {
    await mustAnswer(`publicKey of ${keyType}`, (async () => spkiToRaw(first.publicKey, keyType))());
  }
  const kept = Uint8Array.from(first.publicKey);
  first.publicKey.fill(0);
  const again = await subject.transit.publicKey(key, subject.context());
  must(sameBytes(again.publicKey, kept), `publicKey of ${keyType} differs when it is asked for again`);
  const other = await subject.transit.publicKey(await subject.key(keyType, "second"), subject.context());
  must(!sameBytes(other.publicKey, kept), `two ${keyType} keys have the same public key`);
}

async function versions(subject: Subject, keyType: KeyType): Promise<void> {
  const key = await subject.key(keyType);
  const newest = await subject.transit.publicKey(key, subject.context());
  const byNumber = await subject.transit.publicKey(key, subject.context(), { version: newest.keyVersion });
  must(sameBytes(byNumber.publicKey, newest.publicKey), `publicKey of ${keyType} by its version is another`);
  must(byNumber.keyVersion === newest.keyVersion, `publicKey of ${keyType} by its version says another version`);
  const call = subject.transit.publicKey(key, subject.context(), { version: newest.keyVersion + 1000 });
  await mustRefuse(`publicKey of ${keyType}, a version that is not there`, call, "KEY_NOT_FOUND");
}
