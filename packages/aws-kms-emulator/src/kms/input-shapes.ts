import type { InputShape } from "../shape.js";
import { grantOperations } from "./grant.js";
import {
  customerMasterKeySpecs,
  dataKeyPairSpecs,
  encryptionAlgorithms,
  keyUsages,
  modelledKeySpecs,
  signingAlgorithms,
} from "./key-spec.js";

const keyId = { type: "string", min: 1, max: 2048, pattern: "^\\p{ASCII}+$", required: true } as const;
const { required: _, ...optionalKeyId } = keyId;
const aliasName = { type: "string", min: 1, max: 256, pattern: "^[a-zA-Z0-9:/_-]+$", required: true } as const;
const grantTokens = { type: "list", max: 10, member: { type: "string", min: 1, max: 8192 } } as const;
const encryptionContext = { type: "map" } as const;
const encryptionAlgorithm = { type: "string", values: encryptionAlgorithms } as const;
const dryRun = { type: "boolean" } as const;
const dryRunModifiers = { type: "list", member: { type: "string", values: ["IGNORE_CIPHERTEXT"] } } as const;
const principalId = { type: "string", min: 1, max: 256, pattern: "^[\\w+=,.@:/-]+$" } as const;
const grantId = { type: "string", min: 1, max: 128 } as const;
const description = { type: "string", min: 0, max: 8192 } as const;
const bypass = { type: "boolean" } as const;
const policy = { type: "string", min: 1, max: 131_072, pattern: "^[\\t\\n\\r\\u0020-\\u00FF]+$" } as const;
const policyName = { type: "string", min: 1, max: 128, pattern: "^[\\w]+$" } as const;
const tagKey = { type: "string", min: 1, max: 128, required: true } as const;
const tag = {
  type: "structure",
  members: { TagKey: tagKey, TagValue: { type: "string", min: 0, max: 256, required: true } },
} as const;
const tags = { type: "list", member: tag } as const;
const limit = { type: "integer", min: 1, max: 1000 } as const;
const marker = { type: "string", min: 1, max: 1024, pattern: "^[\\u0020-\\u00FF]*$" } as const;
const recipient = { type: "structure", members: {} } as const;

const signed = {
  KeyId: keyId,
  Message: { type: "blob", min: 1, max: 4096, sensitive: true, required: true },
  MessageType: { type: "string", values: ["RAW", "DIGEST", "EXTERNAL_MU"] },
  SigningAlgorithm: { type: "string", values: signingAlgorithms, required: true },
  GrantTokens: grantTokens,
  DryRun: dryRun,
} as const;

const dataKey = {
  KeyId: keyId,
  EncryptionContext: encryptionContext,
  NumberOfBytes: { type: "integer", min: 1, max: 1024 },
  KeySpec: { type: "string", values: ["AES_256", "AES_128"] },
  GrantTokens: grantTokens,
  DryRun: dryRun,
} as const;

const dataKeyPair = {
  KeyId: keyId,
  EncryptionContext: encryptionContext,
  KeyPairSpec: { type: "string", values: dataKeyPairSpecs, required: true },
  GrantTokens: grantTokens,
  DryRun: dryRun,
} as const;

/** Requests of the operations that are built; the limits are those of the service model. */
export const inputShapes = {
  CreateKey: {
    Policy: policy,
    Description: description,
    KeyUsage: { type: "string", values: keyUsages },
    CustomerMasterKeySpec: { type: "string", values: customerMasterKeySpecs },
    KeySpec: { type: "string", values: modelledKeySpecs },
    Origin: { type: "string", values: ["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"] },
    CustomKeyStoreId: { type: "string", min: 1, max: 64 },
    BypassPolicyLockoutSafetyCheck: bypass,
    Tags: tags,
    MultiRegion: { type: "boolean" },
    XksKeyId: { type: "string", min: 1, max: 128 },
  },
  DescribeKey: { KeyId: keyId, GrantTokens: grantTokens },
  GetPublicKey: { KeyId: keyId, GrantTokens: grantTokens },
  Sign: signed,
  Verify: { ...signed, Signature: { type: "blob", min: 1, max: 6144, required: true } },
  Encrypt: {
    KeyId: keyId,
    Plaintext: { type: "blob", min: 1, max: 4096, sensitive: true, required: true },
    EncryptionContext: encryptionContext,
    GrantTokens: grantTokens,
    EncryptionAlgorithm: encryptionAlgorithm,
    DryRun: dryRun,
  },
  Decrypt: {
    CiphertextBlob: { type: "blob", min: 1, max: 6144 },
    EncryptionContext: encryptionContext,
    GrantTokens: grantTokens,
    KeyId: optionalKeyId,
    EncryptionAlgorithm: encryptionAlgorithm,
    Recipient: recipient,
    DryRun: dryRun,
    DryRunModifiers: dryRunModifiers,
  },
  ReEncrypt: {
    CiphertextBlob: { type: "blob", min: 1, max: 6144 },
    SourceEncryptionContext: encryptionContext,
    SourceKeyId: optionalKeyId,
    DestinationKeyId: keyId,
    DestinationEncryptionContext: encryptionContext,
    SourceEncryptionAlgorithm: encryptionAlgorithm,
    DestinationEncryptionAlgorithm: encryptionAlgorithm,
    GrantTokens: grantTokens,
    DryRun: dryRun,
    DryRunModifiers: dryRunModifiers,
  },
  GenerateDataKey: { ...dataKey, Recipient: recipient },
  GenerateDataKeyWithoutPlaintext: dataKey,
  GenerateDataKeyPair: { ...dataKeyPair, Recipient: recipient },
  GenerateDataKeyPairWithoutPlaintext: dataKeyPair,
  CreateGrant: {
    KeyId: keyId,
    GranteePrincipal: principalId,
    RetiringPrincipal: principalId,
    GranteeServicePrincipal: { type: "string" },
    RetiringServicePrincipal: { type: "string" },
    Operations: { type: "list", member: { type: "string", values: grantOperations }, required: true },
    Constraints: {
      type: "structure",
      members: {
        EncryptionContextSubset: encryptionContext,
        EncryptionContextEquals: encryptionContext,
        SourceArn: { type: "string" },
      },
    },
    GrantTokens: grantTokens,
    Name: { type: "string", min: 1, max: 256, pattern: "^[a-zA-Z0-9:/_-]+$" },
    DryRun: dryRun,
  },
  ListGrants: { KeyId: keyId, GrantId: grantId, GranteePrincipal: principalId, Limit: limit, Marker: marker },
  RetireGrant: {
    GrantToken: { type: "string", min: 1, max: 8192 },
    KeyId: optionalKeyId,
    GrantId: grantId,
    DryRun: dryRun,
  },
  RevokeGrant: { KeyId: keyId, GrantId: { ...grantId, required: true }, DryRun: dryRun },
  CreateAlias: { AliasName: aliasName, TargetKeyId: keyId },
  UpdateAlias: { AliasName: aliasName, TargetKeyId: keyId },
  DeleteAlias: { AliasName: aliasName },
  ListAliases: { KeyId: optionalKeyId, Limit: limit, Marker: marker },
  ListKeys: { Limit: limit, Marker: marker },
  EnableKey: { KeyId: keyId },
  DisableKey: { KeyId: keyId },
  ScheduleKeyDeletion: { KeyId: keyId, PendingWindowInDays: { type: "integer", min: 1, max: 365 } },
  CancelKeyDeletion: { KeyId: keyId },
  TagResource: { KeyId: keyId, Tags: { ...tags, required: true } },
  UntagResource: {
    KeyId: keyId,
    TagKeys: { type: "list", member: { type: "string", min: 1, max: 128 }, required: true },
  },
  ListResourceTags: { KeyId: keyId, Limit: limit, Marker: marker },
  GetKeyPolicy: { KeyId: keyId, PolicyName: policyName },
  PutKeyPolicy: {
    KeyId: keyId,
    PolicyName: policyName,
    Policy: { ...policy, required: true },
    BypassPolicyLockoutSafetyCheck: bypass,
  },
  ListKeyPolicies: { KeyId: keyId, Limit: limit, Marker: marker },
  UpdateKeyDescription: { KeyId: keyId, Description: { ...description, required: true } },
  GetKeyRotationStatus: { KeyId: keyId },
  EnableKeyRotation: { KeyId: keyId, RotationPeriodInDays: { type: "integer", min: 90, max: 2560 } },
  DisableKeyRotation: { KeyId: keyId },
  GenerateRandom: {
    NumberOfBytes: { type: "integer", min: 1, max: 1024 },
    CustomKeyStoreId: { type: "string", min: 1, max: 64 },
    Recipient: recipient,
  },
} as const satisfies Record<string, InputShape>;

export type BuiltOperation = keyof typeof inputShapes;

/** Modelled in `kms-2014-11-01` and not built; each answers `UnsupportedOperationException`. */
export const unbuiltOperations = [
  "ConnectCustomKeyStore",
  "CreateCustomKeyStore",
  "Decapsulate",
  "DeleteCustomKeyStore",
  "DeleteImportedKeyMaterial",
  "DeriveSharedSecret",
  "DescribeCustomKeyStores",
  "DisconnectCustomKeyStore",
  "Encapsulate",
  "GenerateMac",
  "GetKeyLastUsage",
  "GetParametersForImport",
  "ImportKeyMaterial",
  "ListKeyRotations",
  "ListRetirableGrants",
  "ReplicateKey",
  "RotateKeyOnDemand",
  "UpdateCustomKeyStore",
  "UpdatePrimaryRegion",
  "VerifyMac",
] as const;
