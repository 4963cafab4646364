import type { Input } from "../../shape.js";
import type { KmsCall } from "../call.js";
import { parseBlob } from "../ciphertext.js";
import type { inputShapes } from "../input-shapes.js";
import { checkState } from "../key-state.js";
import { checkUsage } from "../key-usage.js";
import { resolveKey } from "../resolve.js";
import {
  base64,
  checkAlgorithm,
  checkContext,
  checkLength,
  ciphertextOf,
  conditionEntries,
  decryptUnder,
  denialOfBlob,
  encryptUnder,
  incorrectKey,
  keyOfBlob,
  noContext,
} from "./encrypt.js";
import { dryRunSucceeded } from "./sign.js";

/** One operation, two permissions: ReEncryptFrom on the source key, ReEncryptTo on the destination key. */
export function reEncryptOperation(input: Input<typeof inputShapes.ReEncrypt>, call: KmsCall) {
  const bytes = ciphertextOf(input, "SourceKeyId");
  const blob = bytes === undefined ? undefined : parseBlob(bytes);
  const source =
    input.SourceKeyId === undefined ? keyOfBlob(call, blob) : resolveKey(call, "ReEncrypt", input.SourceKeyId);
  const destination = resolveKey(call, "ReEncrypt", input.DestinationKeyId);
  const from = input.SourceEncryptionAlgorithm ?? "SYMMETRIC_DEFAULT";
  const to = input.DestinationEncryptionAlgorithm ?? "SYMMETRIC_DEFAULT";
  const sourceContext = input.SourceEncryptionContext ?? noContext;
  const destinationContext = input.DestinationEncryptionContext ?? noContext;
  const same = { "kms:reencryptonsamekey": [String(source.key === destination.key)] };
  const sourceConditions = { ...conditionEntries(source.requestAlias, from, sourceContext), ...same };
  try {
    call.authorize("ReEncryptFrom", { kind: "key", key: source.key }, sourceConditions, {
      encryptionContext: sourceContext,
    });
  } catch (error) {
    throw denialOfBlob(error, input.SourceKeyId);
  }
  call.authorize(
    "ReEncryptTo",
    { kind: "key", key: destination.key },
    { ...conditionEntries(destination.requestAlias, to, destinationContext), ...same },
    { encryptionContext: destinationContext },
  );
  if (source.key.usage !== "ENCRYPT_DECRYPT" || source.key.state === "PendingImport") throw incorrectKey();
  const other = blob === undefined ? undefined : call.store.byMaterial(blob.materialId);
  if (other !== undefined && other !== source.key) throw incorrectKey();
  checkUsage(destination.key, "ENCRYPT_DECRYPT", "ReEncrypt");
  for (const [{ key }, algorithm, context] of [
    [source, from, sourceContext],
    [destination, to, destinationContext],
  ] as const) {
    checkState(key, "use");
    checkAlgorithm(key, algorithm);
    checkContext(key, context);
  }
  if (input.DryRun) throw dryRunSucceeded();
  const plaintext = decryptUnder(source.key, from, bytes, sourceContext);
  checkLength(destination.key, to, plaintext);
  const material = (key: typeof source.key) => (key.material.kind === "secret" ? key.materialId : undefined);
  return {
    CiphertextBlob: base64(encryptUnder(destination.key, to, plaintext, destinationContext)),
    SourceKeyId: source.key.arn,
    KeyId: destination.key.arn,
    SourceEncryptionAlgorithm: from,
    DestinationEncryptionAlgorithm: to,
    SourceKeyMaterialId: material(source.key),
    DestinationKeyMaterialId: material(destination.key),
  };
}
