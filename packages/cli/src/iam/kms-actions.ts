/**
 * The actions of AWS KMS by what a statement has to name for them (Service Authorization Reference, "Actions, resources,
 * and condition keys for AWS Key Management Service").
 */

/** On a key that a request may name by its alias, which `kms:RequestAlias` then holds. */
const BY_ALIAS = [
  ...["Sign", "Verify", "GetPublicKey", "DescribeKey", "Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo"],
  ...["GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateDataKeyPair"],
  ...["GenerateDataKeyPairWithoutPlaintext", "GenerateMac", "VerifyMac", "DeriveSharedSecret"],
  ...["Encapsulate", "Decapsulate"],
];
/** On a key that a request names by its id or ARN. */
const BY_KEY = [
  ...["CancelKeyDeletion", "CreateGrant", "DeleteImportedKeyMaterial", "DisableKey", "DisableKeyRotation", "EnableKey"],
  ...["EnableKeyRotation", "GetKeyLastUsage", "GetKeyPolicy", "GetKeyRotationStatus", "GetParametersForImport"],
  ...["ImportKeyMaterial", "ListGrants", "ListKeyPolicies", "ListKeyRotations", "ListResourceTags", "PutKeyPolicy"],
  ...["ReplicateKey", "RetireGrant", "RevokeGrant", "RotateKeyOnDemand", "ScheduleKeyDeletion"],
  ...["SynchronizeMultiRegionKey", "TagResource", "UntagResource", "UpdateKeyDescription", "UpdatePrimaryRegion"],
];
const ON_ALIAS_AND_KEY = ["CreateAlias", "UpdateAlias", "DeleteAlias"];
const ON_NOTHING = [
  ...["ConnectCustomKeyStore", "CreateCustomKeyStore", "CreateKey", "DeleteCustomKeyStore", "DescribeCustomKeyStores"],
  ...["DisconnectCustomKeyStore", "GenerateRandom", "ListAliases", "ListKeys", "ListRetirableGrants"],
  "UpdateCustomKeyStore",
];

export type KmsResourceKind = "key" | "alias" | "none";

interface KmsAction {
  /** e.g. `kms:Sign` */
  readonly action: string;
  readonly on: readonly KmsResourceKind[];
  readonly takesAlias: boolean;
}

const actionsOf = (names: readonly string[], on: readonly KmsResourceKind[], takesAlias = false): KmsAction[] =>
  names.map((name) => ({ action: `kms:${name}`, on, takesAlias }));

export const kmsActions: readonly KmsAction[] = [
  ...actionsOf(BY_ALIAS, ["key"], true),
  ...actionsOf(BY_KEY, ["key"]),
  ...actionsOf(ON_ALIAS_AND_KEY, ["alias", "key"]),
  ...actionsOf(ON_NOTHING, ["none"]),
];
