import { type DecryptRequest, type DecryptResponse, DecryptResponseSchema } from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import type { Call } from "../request/call.js";
import { requireClass, requireSize, transitKey } from "../request/checks.js";
import { requireCipher, requireCipherOf } from "./encrypt.js";

/** Whichever of key, AAD or ciphertext was wrong, the answer is `DECRYPT_FAILED`. */
export async function decrypt({ keyId, envelope, aad }: DecryptRequest, call: Call): Promise<DecryptResponse> {
  const entry = call.authorize("decrypt", keyId);
  if (envelope === undefined) throw call.fail("INVALID_REQUEST", "envelope must be given");
  requireCipher(call, "envelope.alg", envelope.alg);
  requireSize(call, "envelope.ciphertext", envelope.ciphertext, call.services.limits.maxEncryptBytes);
  requireClass(call, entry, "symmetric");
  requireCipherOf(call, entry, "envelope.alg", envelope.alg);
  const { ref, transit } = transitKey(call, entry);
  const { keyVersion, nonce, ciphertext } = envelope;
  const { plaintext, ...provenance } = await call.ask(
    (context) => transit.decrypt(ref, { keyVersion, nonce, ciphertext }, aad, context),
    (late) => late.plaintext.fill(0),
  );
  call.provenance = provenance;
  return create(DecryptResponseSchema, { plaintext });
}
