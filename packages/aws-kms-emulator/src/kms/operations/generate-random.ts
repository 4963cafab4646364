import { randomBytes } from "node:crypto";
import { Refusal } from "../../refusal.js";
import type { Input } from "../../shape.js";
import type { KmsCall } from "../call.js";
import type { inputShapes } from "../input-shapes.js";

export function generateRandomOperation(input: Input<typeof inputShapes.GenerateRandom>, call: KmsCall) {
  if (input.NumberOfBytes === undefined) throw new Refusal("ValidationException", "NumberOfBytes is required.");
  call.authorize("GenerateRandom", { kind: "any" });
  if (input.CustomKeyStoreId !== undefined) {
    throw new Refusal("CustomKeyStoreNotFoundException", `Custom key store ${input.CustomKeyStoreId} does not exist.`);
  }
  if (input.Recipient !== undefined) throw new Refusal("UnsupportedOperationException");
  return { Plaintext: randomBytes(input.NumberOfBytes).toString("base64") };
}
