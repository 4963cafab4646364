import { decodeInput, type Input } from "../shape.js";
import type { KmsCall } from "./call.js";
import { type BuiltOperation, inputShapes } from "./input-shapes.js";
import {
  createAliasOperation,
  deleteAliasOperation,
  listAliasesOperation,
  updateAliasOperation,
} from "./operations/alias.js";
import {
  cancelKeyDeletionOperation,
  disableKeyOperation,
  enableKeyOperation,
  scheduleKeyDeletionOperation,
  updateKeyDescriptionOperation,
} from "./operations/change-state.js";
import { createKeyOperation } from "./operations/create-key.js";
import {
  generateDataKeyOperation,
  generateDataKeyPairOperation,
  generateDataKeyPairWithoutPlaintextOperation,
  generateDataKeyWithoutPlaintextOperation,
} from "./operations/data-key.js";
import { decryptOperation, encryptOperation } from "./operations/encrypt.js";
import { generateRandomOperation } from "./operations/generate-random.js";
import {
  createGrantOperation,
  listGrantsOperation,
  retireGrantOperation,
  revokeGrantOperation,
} from "./operations/grant.js";
import { getKeyPolicyOperation, listKeyPoliciesOperation, putKeyPolicyOperation } from "./operations/key-policy.js";
import { reEncryptOperation } from "./operations/re-encrypt.js";
import { describeKeyOperation, getPublicKeyOperation, listKeysOperation } from "./operations/read-key.js";
import {
  disableKeyRotationOperation,
  enableKeyRotationOperation,
  getKeyRotationStatusOperation,
} from "./operations/rotation.js";
import { signOperation, verifyOperation } from "./operations/sign.js";
import { listResourceTagsOperation, tagResourceOperation, untagResourceOperation } from "./operations/tag.js";

type Output = Readonly<Record<string, unknown>> | undefined;

type Operations = {
  readonly [O in BuiltOperation]: (input: Input<(typeof inputShapes)[O]>, call: KmsCall) => Output | Promise<Output>;
};

/** An undefined output is an empty body, as the model has no output shape for those operations. */
const operations: Operations = {
  CreateKey: createKeyOperation,
  DescribeKey: describeKeyOperation,
  GetPublicKey: getPublicKeyOperation,
  Sign: signOperation,
  Verify: verifyOperation,
  Encrypt: encryptOperation,
  Decrypt: decryptOperation,
  ReEncrypt: reEncryptOperation,
  GenerateDataKey: generateDataKeyOperation,
  GenerateDataKeyWithoutPlaintext: generateDataKeyWithoutPlaintextOperation,
  GenerateDataKeyPair: generateDataKeyPairOperation,
  GenerateDataKeyPairWithoutPlaintext: generateDataKeyPairWithoutPlaintextOperation,
  CreateGrant: createGrantOperation,
  ListGrants: listGrantsOperation,
  RetireGrant: retireGrantOperation,
  RevokeGrant: revokeGrantOperation,
  CreateAlias: createAliasOperation,
  UpdateAlias: updateAliasOperation,
  DeleteAlias: deleteAliasOperation,
  ListAliases: listAliasesOperation,
  ListKeys: listKeysOperation,
  EnableKey: enableKeyOperation,
  DisableKey: disableKeyOperation,
  ScheduleKeyDeletion: scheduleKeyDeletionOperation,
  CancelKeyDeletion: cancelKeyDeletionOperation,
  TagResource: tagResourceOperation,
  UntagResource: untagResourceOperation,
  ListResourceTags: listResourceTagsOperation,
  GetKeyPolicy: getKeyPolicyOperation,
  PutKeyPolicy: putKeyPolicyOperation,
  ListKeyPolicies: listKeyPoliciesOperation,
  UpdateKeyDescription: updateKeyDescriptionOperation,
  GetKeyRotationStatus: getKeyRotationStatusOperation,
  EnableKeyRotation: enableKeyRotationOperation,
  DisableKeyRotation: disableKeyRotationOperation,
  GenerateRandom: generateRandomOperation,
};

/** Operations that leave nothing changed behind them, whatever they answer. */
const readOnly: ReadonlySet<BuiltOperation> = new Set<BuiltOperation>([
  "DescribeKey",
  "GetPublicKey",
  "Sign",
  "Verify",
  "Encrypt",
  "Decrypt",
  "ReEncrypt",
  "GenerateDataKey",
  "GenerateDataKeyWithoutPlaintext",
  "GenerateDataKeyPair",
  "GenerateDataKeyPairWithoutPlaintext",
  "ListGrants",
  "ListAliases",
  "ListKeys",
  "ListResourceTags",
  "GetKeyPolicy",
  "ListKeyPolicies",
  "GetKeyRotationStatus",
  "GenerateRandom",
]);

export function isBuilt(operation: string): operation is BuiltOperation {
  return Object.hasOwn(operations, operation);
}

export function changesState(operation: BuiltOperation): boolean {
  return !readOnly.has(operation);
}

const namesOfKeys = ["KeyId", "AliasName", "TargetKeyId", "SourceKeyId", "DestinationKeyId"] as const;

/** Decodes the body, carries the operation out and returns its output. */
export function runOperation<O extends BuiltOperation>(
  operation: O,
  body: Uint8Array,
  call: KmsCall,
): Output | Promise<Output> {
  const input = decodeInput<(typeof inputShapes)[O]>(body, inputShapes[operation]);
  const members: Readonly<Record<string, unknown>> = input;
  const typed = namesOfKeys.map((name) => members[name]).find((value) => typeof value === "string");
  call.note.dryRun = members.DryRun === true;
  call.note.keyId = typeof typed === "string" ? typed : undefined;
  return operations[operation](input, call);
}
