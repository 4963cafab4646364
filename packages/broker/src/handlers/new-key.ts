import type { KeyEntry } from "@basil/catalog";
import { requireMintable } from "@basil/core";
import { KeyType, keyTypeName, type NewKeyRequest, type NewKeyResponse, NewKeyResponseSchema } from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import type { Call } from "../request/call.js";
import { requireClass, requireKnown, transitKey } from "../request/checks.js";
import { publicKeyToWire } from "./public-key.js";

/** The key type that the caller expects, as the catalog spells it. Symmetric types have no number on the wire. */
const EXPECTED_TYPE_KEY = "basil-expect-key-type";
const MAX_SHOWN = 64;

/** Creates the key at the catalog's path, of the catalog's type, and answers with the catalog's name. */
export async function newKey({ keyId, keyType }: NewKeyRequest, call: Call): Promise<NewKeyResponse> {
  const entry = call.authorize("new_key", keyId);
  call.requireUid();
  requireKnown(call, KeyType, "key_type", keyType);
  requireClass(call, entry, "asymmetric", "symmetric");
  requireSameType(call, entry, keyType);
  requireExpectedType(call, entry);
  const { ref, transit } = transitKey(call, entry);
  const declared = call.generation.catalog.backends.get(entry.backend);
  const { publicKey, wire, ...provenance } = await call.ask(async (context) => {
    if (declared !== undefined) requireMintable(declared, ref.keyType);
    const result = await transit.createKey(ref, context);
    const wire = result.publicKey === undefined ? new Uint8Array() : publicKeyToWire(result.publicKey, ref.keyType);
    return { ...result, wire };
  });
  call.provenance = provenance;
  call.services.probes.changed(entry);
  return create(NewKeyResponseSchema, { keyId, publicKey: wire });
}

function requireExpectedType(call: Call, { name, keyType }: KeyEntry): void {
  const expected = call.metadata(EXPECTED_TYPE_KEY);
  if (expected === undefined || expected === keyType) return;
  const shown = JSON.stringify(expected.slice(0, MAX_SHOWN));
  throw call.fail("INVALID_REQUEST", `${EXPECTED_TYPE_KEY}: found ${shown}, key ${name} is of type ${keyType}`);
}

/** Symmetric types have no number: their entries take `KEY_TYPE_UNSPECIFIED`, and nothing else does. */
function requireSameType(call: Call, { name, class: keyClass, keyType }: KeyEntry, asked: KeyType): void {
  const post = /^ML_/.test(KeyType[asked] ?? "");
  if (post && keyType !== keyTypeName(asked)) {
    throw call.fail("UNSUPPORTED_ALGORITHM", `key_type: key ${name} is of type ${keyType}`);
  }
  const expected = keyClass === "symmetric" ? undefined : keyType;
  if (keyTypeName(asked) === expected) return;
  const allowed = expected ?? `no type (KEY_TYPE_UNSPECIFIED): it is of type ${keyType}, which has no number`;
  throw call.fail("INVALID_REQUEST", `key_type: found ${keyTypeName(asked) ?? "none"}, key ${name} takes ${allowed}`);
}
