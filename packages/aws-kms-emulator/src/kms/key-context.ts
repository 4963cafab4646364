import type { Caller } from "../iam/caller.js";
import type { KmsKey } from "./key.js";
import type { KeyStore } from "./key-store.js";

/** Adds the condition keys that come from the key itself (KMS Developer Guide, "Condition keys for AWS KMS"). */
export function keyContext(
  context: Map<string, readonly string[]>,
  key: KmsKey,
  store: KeyStore,
  caller: Caller,
): void {
  context.set("kms:calleraccount", [caller.account]);
  context.set("kms:keyspec", [key.spec]);
  context.set("kms:customermasterkeyspec", [key.spec]);
  context.set("kms:keyusage", [key.usage]);
  context.set("kms:customermasterkeyusage", [key.usage]);
  context.set("kms:keyorigin", ["AWS_KMS"]);
  context.set("kms:multiregion", [String(key.multiRegion)]);
  if (key.multiRegion) context.set("kms:multiregionkeytype", ["PRIMARY"]);
  const aliases = store.aliasesOf(key.id);
  if (aliases.length > 0) context.set("kms:resourcealiases", aliases);
  for (const [name, value] of key.tags) context.set(`aws:resourcetag/${name.toLowerCase()}`, [value]);
}
