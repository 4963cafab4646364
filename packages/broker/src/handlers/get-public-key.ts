import {
  type GetPublicKeyRequest,
  type GetPublicKeyResponse,
  GetPublicKeyResponseSchema,
  KEY_TYPE_NUMBERS,
  KeyType,
} from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import type { Call } from "../request/call.js";
import { requireClass, transitKey } from "../request/checks.js";
import { publicKeyToWire } from "./public-key.js";

/** Answers with the version asked for, the newest without one. */
export async function getPublicKey(request: GetPublicKeyRequest, call: Call): Promise<GetPublicKeyResponse> {
  const { keyId, version } = request;
  const entry = call.authorize("get_public_key", keyId);
  requireClass(call, entry, "asymmetric", "public", "sealing");
  if (entry.keyType === "x25519") throw call.fail("INVALID_REQUEST", `key ${keyId} is of type x25519`);
  const { ref, transit } = transitKey(call, entry);
  const options = version === undefined ? {} : { version };
  const { keyType, publicKey, wire, keyVersion, ...rest } = await call.ask(async (context) => {
    const result = await transit.publicKey(ref, context, options);
    return { ...result, wire: publicKeyToWire(result.publicKey, result.keyType) };
  });
  call.provenance = { keyVersion, ...rest };
  const numbers: Readonly<Partial<Record<string, KeyType>>> = KEY_TYPE_NUMBERS;
  return create(GetPublicKeyResponseSchema, {
    keyId,
    // The key itself does not say that a catalog writes it as an NKey.
    keyType: keyType === "ed25519-nkey" ? KeyType.ED25519 : (numbers[keyType] ?? KeyType.UNSPECIFIED),
    publicKey: wire,
    version: keyVersion,
  });
}
