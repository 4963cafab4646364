import { SigningAlgorithm, type SignRequest, type SignResponse, SignResponseSchema } from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import type { Call } from "../request/call.js";
import {
  requireClass,
  requireInRange,
  requireKnown,
  requireSize,
  signatureBytes,
  transitKey,
} from "../request/checks.js";

/** The key's type decides the scheme; `algorithm` need only be a number that exists. */
export async function sign({ keyId, message, algorithm }: SignRequest, call: Call): Promise<SignResponse> {
  const entry = call.authorize("sign", keyId);
  call.requireUid();
  requireKnown(call, SigningAlgorithm, "algorithm", algorithm);
  requireSize(call, "message", message, call.services.limits.maxPayloadBytes);
  requireClass(call, entry, "asymmetric");
  const { ref, backend, transit } = transitKey(call, entry);
  requireInRange(call, "message", message, backend.capabilities.keyTypes[ref.keyType]?.message);
  const result = await call.ask((context) => transit.sign(ref, message, context));
  call.usedKey(entry, result);
  const expected = signatureBytes(ref.keyType);
  if (expected !== undefined && result.signature.length !== expected) {
    const found = `backend ${backend.id} gave a signature of ${result.signature.length} bytes, expected ${expected}`;
    throw call.fail("BACKEND_ERROR", "backend operation failed", new Error(found));
  }
  return create(SignResponseSchema, { signature: result.signature });
}
