import type { KeyEntry } from "@basil/catalog";
import type { SignResult } from "@basil/core";
import type { Call } from "./call.js";
import type { TransitKey } from "./checks.js";

/** Has the key sign, notes which one did, and lets out nothing that `verify-signatures` finds to be no signature of it. */
export async function signWith(call: Call, entry: KeyEntry, key: TransitKey, message: Uint8Array): Promise<SignResult> {
  const result = await call.ask((context) => key.transit.sign(key.ref, message, context));
  call.usedKey(entry, result);
  await call.services.signatures.require(call, key, message, result);
  return result;
}
