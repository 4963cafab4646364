import type { KeyEntry } from "@basil/catalog";
import {
  AEAD_NUMBERS,
  AeadAlgorithm,
  CiphertextEnvelopeSchema,
  type EncryptRequest,
  type EncryptResponse,
  EncryptResponseSchema,
} from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import type { Call } from "../request/call.js";
import { requireClass, requireInRange, requireKnown, requireSize, transitKey } from "../request/checks.js";

export async function encrypt(request: EncryptRequest, call: Call): Promise<EncryptResponse> {
  const { keyId, plaintext, algorithm, aad } = request;
  const entry = call.authorize("encrypt", keyId);
  requireSize(call, "plaintext", plaintext, call.services.limits.maxEncryptBytes);
  requireCipher(call, "algorithm", algorithm);
  requireClass(call, entry, "symmetric");
  requireCipherOf(call, entry, "algorithm", algorithm);
  const { ref, backend, transit } = transitKey(call, entry);
  requireInRange(call, "plaintext", plaintext, backend.capabilities.keyTypes[ref.keyType]?.plaintext);
  const { envelope, ...rest } = await call.ask((context) => transit.encrypt(ref, plaintext, aad, context));
  call.usedKey(entry, { keyVersion: envelope.keyVersion, ...rest });
  const { keyVersion, nonce, ciphertext } = envelope;
  return create(EncryptResponseSchema, {
    envelope: create(CiphertextEnvelopeSchema, { alg: algorithm, keyVersion, nonce, ciphertext }),
  });
}

/** @throws `INVALID_REQUEST` for no cipher, or a number that is none. */
export function requireCipher(call: Call, field: string, algorithm: AeadAlgorithm): void {
  requireKnown(call, AeadAlgorithm, field, algorithm);
  if (algorithm === AeadAlgorithm.UNSPECIFIED) throw call.fail("INVALID_REQUEST", `${field} must be given`);
}

/** @throws `INVALID_REQUEST` when the key is one of another cipher. */
export function requireCipherOf(
  call: Call,
  { name, keyType }: KeyEntry,
  field: string,
  algorithm: AeadAlgorithm,
): void {
  const numbers: Readonly<Partial<Record<string, AeadAlgorithm>>> = AEAD_NUMBERS;
  if (keyType !== undefined && numbers[keyType] === algorithm) return;
  throw call.fail("INVALID_REQUEST", `${field}: found ${AeadAlgorithm[algorithm]}, key ${name} is of type ${keyType}`);
}
