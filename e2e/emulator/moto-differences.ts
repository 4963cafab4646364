import type { Difference } from "./shape-differences.js";

/** Differences to moto 5.2 with one reason: where the service documents what the emulator does. */
export interface ExplainedDifference {
  readonly why: string;
  readonly differs: (difference: Difference) => boolean;
}

const at =
  (...places: readonly string[]) =>
  (difference: Difference) =>
    places.includes(difference.at);

const outcome =
  (calls: string, ours: string, theirs = "success") =>
  (difference: Difference) =>
    difference.at === "outcome" &&
    calls.split(" ").includes(difference.call) &&
    difference.ours === ours &&
    difference.theirs === theirs;

const metadata = (name: string) => at(`KeyMetadata.${name}`, `KeyMetadata.${name}[]`);

/** Each names the page of the KMS API reference or Developer Guide that moto departs from. */
export const explained: readonly ExplainedDifference[] = [
  {
    why: "API reference, KeyMetadata: MultiRegion is always there for customer managed keys",
    differs: metadata("MultiRegion"),
  },
  {
    why: "API reference, KeyMetadata: KeyUsage is always there, ENCRYPT_DECRYPT by default",
    differs: metadata("KeyUsage"),
  },
  {
    why: "API reference, KeyMetadata: CurrentKeyMaterialId identifies the material of symmetric keys",
    differs: metadata("CurrentKeyMaterialId"),
  },
  {
    why: "API reference, KeyMetadata: exactly one list of algorithms, by KeyUsage",
    differs: (d) => ["SigningAlgorithms", "EncryptionAlgorithms", "MacAlgorithms"].some((name) => metadata(name)(d)),
  },
  {
    why: "API reference, GetPublicKey: KeySpec replaces CustomerMasterKeySpec",
    differs: (d) => d.call === "GetPublicKey" && d.at === "KeySpec",
  },
  { why: "API reference, Encrypt and Decrypt: EncryptionAlgorithm is answered", differs: at("EncryptionAlgorithm") },
  { why: "API reference, Decrypt and GenerateDataKey: KeyMaterialId is answered", differs: at("KeyMaterialId") },
  {
    why: "API reference, ScheduleKeyDeletion: KeyState and PendingWindowInDays are answered",
    differs: (d) => d.call === "ScheduleKeyDeletion" && at("KeyState", "PendingWindowInDays")(d),
  },
  {
    why: "API reference, AliasListEntry: both dates are set on customer aliases",
    differs: at("Aliases[].CreationDate", "Aliases[].LastUpdatedDate"),
  },
  {
    why: "API reference, GetKeyPolicy: PolicyName is answered",
    differs: (d) => d.call === "GetKeyPolicy" && d.at === "PolicyName",
  },
  {
    why: "API reference, GetKeyPolicy: PolicyName is optional",
    differs: (d) => d.call === "GetKeyPolicy" && d.theirs === "NotFoundException",
  },
  {
    why: "the policy that the step before should have saved is not there",
    differs: outcome("PutKeyPolicy", "success", "NotReached"),
  },
  { why: "API reference, ListKeys: Limit and Marker page the list", differs: (d) => d.call === "ListKeys" },
  {
    why: "API reference, Verify: a signature that is not valid is KMSInvalidSignatureException",
    differs: outcome("Verify", "KMSInvalidSignatureException"),
  },
  {
    why: "API reference, Sign: the length of a digest and the message type must fit the algorithm",
    differs: outcome("Sign", "ValidationException"),
  },
  {
    why: "API reference, Sign: an algorithm or a usage that does not fit the key is InvalidKeyUsageException",
    differs: outcome("Sign", "InvalidKeyUsageException", "ValidationException"),
  },
  {
    why: "API reference, DryRun: success is DryRunOperationException",
    differs: outcome("Sign Decrypt", "DryRunOperationException"),
  },
  {
    why: "API reference, Encrypt and GenerateDataKey: usage and algorithm must fit the key",
    differs: outcome("Encrypt GenerateDataKey", "InvalidKeyUsageException"),
  },
  {
    why: "API reference, Encrypt: RSA_2048 with OAEP SHA-256 takes 190 bytes",
    differs: outcome("Encrypt", "ValidationException"),
  },
  {
    why: "API reference, Decrypt: the encryption context matches exactly",
    differs: outcome("Decrypt", "InvalidCiphertextException"),
  },
  {
    why: "API reference, Decrypt: a KeyId that is not the key of the blob is IncorrectKeyException",
    differs: outcome("Decrypt", "IncorrectKeyException", "AccessDeniedException"),
  },
  {
    why: "API reference, GetPublicKey: only asymmetric keys have one",
    differs: outcome("GetPublicKey", "UnsupportedOperationException"),
  },
  {
    why: "Developer Guide, Key states: a disabled key does not encrypt",
    differs: outcome("Encrypt", "DisabledException"),
  },
  {
    why: "Developer Guide, Key states: what a key that is, or is not, pending deletion refuses",
    differs: outcome("Encrypt EnableKey CancelKeyDeletion", "KMSInvalidStateException"),
  },
  {
    why: "API reference, ScheduleKeyDeletion: the window is 7 to 30 days",
    differs: outcome("ScheduleKeyDeletion", "ValidationException"),
  },
  {
    why: "API reference, CreateKey: KeyUsage is required for asymmetric keys and must fit the spec",
    differs: outcome("CreateKey", "ValidationException"),
  },
  {
    why: "API reference, UpdateAlias: key type and usage must stay the same",
    differs: outcome("UpdateAlias", "ValidationException"),
  },
  {
    why: "API reference, CreateAlias: alias/aws/ is reserved",
    differs: outcome("CreateAlias", "NotAuthorizedException"),
  },
  {
    why: "API reference, DisableKey: key id or key ARN only",
    differs: outcome("DisableKey", "InvalidArnException", "NotFoundException"),
  },
  {
    why: "API reference, TagResource: duplicate and reserved tag keys are TagException",
    differs: outcome("TagResource", "TagException"),
  },
  {
    why: "API reference, PutKeyPolicy: a document without statements is malformed",
    differs: outcome("PutKeyPolicy", "MalformedPolicyDocumentException"),
  },
  {
    why: "service model: constraints of all members are checked before the key is looked up",
    differs: (d) => d.script === "names of keys" && d.ours === "ValidationException",
  },
  {
    why: "API reference, ReEncrypt: algorithms and key material ids of both sides are answered",
    differs: (d) => d.call === "ReEncrypt" && /^(?:Source|Destination)/.test(d.at),
  },
  {
    why: "API reference, ReEncrypt: DryRun; a SourceKeyId that is not the key of the blob is IncorrectKeyException",
    differs: (d) =>
      outcome("ReEncrypt", "DryRunOperationException")(d) || outcome("ReEncrypt", "IncorrectKeyException")(d),
  },
  {
    why: "service model: a ReEncrypt without a ciphertext is only for a dry run that says so",
    differs: outcome("ReEncrypt", "ValidationException", "InvalidCiphertextException"),
  },
  {
    why: "API reference, GenerateDataKeyPair: it is an operation; moto has none",
    differs: (d) => d.call.startsWith("GenerateDataKeyPair") && d.theirs === "500",
  },
  {
    why: "API reference, CreateGrant: DryRun; operations are of the enum; a key that is not there is NotFoundException",
    differs: (d) => d.call === "CreateGrant" && d.at === "outcome",
  },
  {
    why: "API reference, GrantListEntry: CreationDate and IssuingAccount are answered",
    differs: at("Grants[].CreationDate", "Grants[].IssuingAccount"),
  },
  {
    why: "API reference, RetireGrant: a token of a grant that is gone is InvalidGrantTokenException",
    differs: outcome("RetireGrant", "InvalidGrantTokenException"),
  },
  {
    why: "moto answers the dry run of CreateGrant, and an operation that is none, with a grant: they are listed",
    differs: (d) => d.call === "ListGrants" && d.ours === "absent",
  },
];
