import { SigningAlgorithm, type SignRequest, type SignResponse, SignResponseSchema } from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import type { Call } from "../request/call.js";
import { requireClass, requireInRange, requireKnown, requireSize, transitKey } from "../request/checks.js";
import { signWith } from "../request/sign-with.js";

/** The key's type decides the scheme; `algorithm` need only be a number that exists. */
export async function sign({ keyId, message, algorithm }: SignRequest, call: Call): Promise<SignResponse> {
  const entry = call.authorize("sign", keyId);
  call.requireUid();
  requireKnown(call, SigningAlgorithm, "algorithm", algorithm);
  requireSize(call, "message", message, call.services.limits.maxPayloadBytes);
  requireClass(call, entry, "asymmetric");
  const { ref, backend, transit } = transitKey(call, entry);
  requireInRange(call, "message", message, backend.capabilities.keyTypes[ref.keyType]?.message);
  const { signature } = await signWith(call, entry, { ref, backend, transit }, message);
  return create(SignResponseSchema, { signature });
}
