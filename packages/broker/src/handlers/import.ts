import type { KeyEntry } from "@basil/catalog";
import { type ImportEntry, type ImportRequest, type ImportSetRequest, type KeyMaterial, KeyType } from "@basil/proto";
import type { Call } from "../request/call.js";
import { requireClass, requireKnown, requireSize } from "../request/checks.js";
import { notOffered } from "./unsupported.js";

/** No backend takes private keys from outside; what is wrong with the request is told before that. */
export async function importKey({ keyId, keyType, material }: ImportRequest, call: Call): Promise<never> {
  const entry = call.authorize("import", keyId);
  requireSize(call, "material", materialBytes(call, material), call.services.limits.maxPayloadBytes);
  requireImportable(call, entry, keyType);
  throw notOffered(call);
}

/** Each key has a line in the audit log: more than fit into one request's time are not taken. */
const MAX_ENTRIES = 1000;

/** Every entry is authorized and checked before the first one would be imported. */
export async function importSet({ entries }: ImportSetRequest, call: Call): Promise<never> {
  if (entries.length === 0) throw call.fail("INVALID_REQUEST", "entries must hold at least one key");
  if (entries.length > MAX_ENTRIES) {
    throw call.fail("PAYLOAD_TOO_LARGE", `entries: ${entries.length} keys, at most ${MAX_ENTRIES} are allowed`);
  }
  let total = 0;
  for (const { keyId, keyType, material } of entries as readonly ImportEntry[]) {
    const entry = call.authorize("import", keyId);
    total += materialBytes(call, material);
    requireImportable(call, entry, keyType);
  }
  requireSize(call, "entries", total, call.services.limits.maxPayloadBytes);
  throw notOffered(call);
}

function materialBytes(call: Call, material: KeyMaterial | undefined): number {
  const bytes = material?.material.value;
  if (bytes === undefined) throw call.fail("INVALID_REQUEST", "material must be given");
  return bytes.length;
}

function requireImportable(call: Call, entry: KeyEntry, keyType: KeyType): void {
  requireKnown(call, KeyType, "key_type", keyType);
  if (keyType === KeyType.UNSPECIFIED) throw call.fail("INVALID_REQUEST", "key_type must be given");
  if (/^ML_/.test(KeyType[keyType] ?? "")) {
    throw call.fail("UNSUPPORTED_ALGORITHM", "key_type: a key of this type is not imported");
  }
  requireClass(call, entry, "asymmetric");
}
