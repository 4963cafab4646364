import { randomBytes } from "node:crypto";
import { Refusal } from "../../refusal.js";
import type { Input } from "../../shape.js";
import type { KmsCall } from "../call.js";
import { encryptBlob } from "../ciphertext.js";
import type { inputShapes } from "../input-shapes.js";
import type { KmsKey } from "../key.js";
import { generateMaterial } from "../key-material.js";
import { isKeySpec } from "../key-spec.js";
import { checkState } from "../key-state.js";
import { checkUsage } from "../key-usage.js";
import { resolveKey } from "../resolve.js";
import { base64, conditionEntries, type EncryptionContext, noContext, secretOf } from "./encrypt.js";
import { dryRunSucceeded } from "./sign.js";

type DataKeyInput = Input<typeof inputShapes.GenerateDataKeyWithoutPlaintext>;
type DataKeyPairInput = Input<typeof inputShapes.GenerateDataKeyPairWithoutPlaintext>;

interface Wrapping {
  readonly key: KmsKey;
  readonly wrap: (plaintext: Uint8Array) => string;
}

/** The key that wraps what is generated, once everything but the generating is judged. */
function wrapping(
  operation: string,
  input: { KeyId: string; EncryptionContext?: EncryptionContext | undefined; DryRun?: boolean | undefined },
  call: KmsCall,
  more: Readonly<Record<string, readonly string[]>> = {},
): Wrapping {
  const { key, requestAlias } = resolveKey(call, operation, input.KeyId);
  const context = input.EncryptionContext ?? noContext;
  const conditions = conditionEntries(requestAlias, "SYMMETRIC_DEFAULT", context);
  call.authorize(operation, { kind: "key", key }, { ...conditions, ...more }, { encryptionContext: context });
  if (key.usage === "ENCRYPT_DECRYPT" && key.spec !== "SYMMETRIC_DEFAULT") {
    throw new Refusal("InvalidKeyUsageException", "You cannot generate a data key with an asymmetric CMK");
  }
  checkUsage(key, "ENCRYPT_DECRYPT", operation);
  checkState(key, "use");
  if (input.DryRun) throw dryRunSucceeded();
  return { key, wrap: (plaintext) => base64(encryptBlob(secretOf(key), key.materialId, plaintext, context)) };
}

function dataKey(operation: string, input: DataKeyInput, call: KmsCall) {
  if ((input.KeySpec === undefined) === (input.NumberOfBytes === undefined)) {
    throw new Refusal("ValidationException", "Please specify either number of bytes or key spec.");
  }
  const { key, wrap } = wrapping(operation, input, call);
  const bytes = randomBytes(input.NumberOfBytes ?? (input.KeySpec === "AES_128" ? 16 : 32));
  return { bytes, answer: { CiphertextBlob: wrap(bytes), KeyId: key.arn, KeyMaterialId: key.materialId } };
}

export function generateDataKeyOperation(input: Input<typeof inputShapes.GenerateDataKey>, call: KmsCall) {
  if (input.Recipient !== undefined) throw new Refusal("UnsupportedOperationException");
  const { bytes, answer } = dataKey("GenerateDataKey", input, call);
  return { ...answer, Plaintext: base64(bytes) };
}

export function generateDataKeyWithoutPlaintextOperation(input: DataKeyInput, call: KmsCall) {
  return dataKey("GenerateDataKeyWithoutPlaintext", input, call).answer;
}

async function dataKeyPair(operation: string, input: DataKeyPairInput, call: KmsCall) {
  const { KeyPairSpec: spec } = input;
  const { key, wrap } = wrapping(operation, input, call, { "kms:datakeypairspec": [spec] });
  if (!isKeySpec(spec)) throw new Refusal("UnsupportedOperationException", `${spec} is not made in this emulator.`);
  const pair = await generateMaterial(spec);
  if (pair.kind !== "pair") throw new TypeError(`${spec} is no pair`);
  const bytes = new Uint8Array(pair.privateKey.export({ type: "pkcs8", format: "der" }));
  const answer = {
    PrivateKeyCiphertextBlob: wrap(bytes),
    PublicKey: base64(pair.spki),
    KeyId: key.arn,
    KeyPairSpec: spec,
    KeyMaterialId: key.materialId,
  };
  return { bytes, answer };
}

export async function generateDataKeyPairOperation(
  input: Input<typeof inputShapes.GenerateDataKeyPair>,
  call: KmsCall,
) {
  if (input.Recipient !== undefined) throw new Refusal("UnsupportedOperationException");
  const { bytes, answer } = await dataKeyPair("GenerateDataKeyPair", input, call);
  return { ...answer, PrivateKeyPlaintext: base64(bytes) };
}

export async function generateDataKeyPairWithoutPlaintextOperation(input: DataKeyPairInput, call: KmsCall) {
  return (await dataKeyPair("GenerateDataKeyPairWithoutPlaintext", input, call)).answer;
}
