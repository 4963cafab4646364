import { signatureBytes } from "@basil/core";
import { SigningAlgorithm, type VerifyRequest, type VerifyResponse, VerifyResponseSchema } from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import type { Call } from "../request/call.js";
import { requireClass, requireInRange, requireKnown, requireSize, transitKey } from "../request/checks.js";

/** A signature that does not match is an answer; one of the wrong width is a malformed request. */
export async function verify(request: VerifyRequest, call: Call): Promise<VerifyResponse> {
  const { keyId, message, signature, algorithm } = request;
  const { maxPayloadBytes } = call.services.limits;
  const entry = call.authorize("verify", keyId);
  call.requireUid();
  requireKnown(call, SigningAlgorithm, "algorithm", algorithm);
  requireSize(call, "message", message, maxPayloadBytes);
  requireSize(call, "signature", signature, maxPayloadBytes);
  requireClass(call, entry, "asymmetric", "public");
  const { ref, backend, transit } = transitKey(call, entry);
  const expected = signatureBytes(ref.keyType);
  if (expected !== undefined && signature.length !== expected) {
    throw call.fail(
      "INVALID_REQUEST",
      `signature: its length is ${signature.length}, ${ref.keyType} has ${expected} bytes`,
    );
  }
  requireInRange(call, "message", message, backend.capabilities.keyTypes[ref.keyType]?.message);
  const result = await call.ask((context) => transit.verify(ref, message, signature, context));
  call.provenance = result;
  return create(VerifyResponseSchema, { valid: result.valid });
}
