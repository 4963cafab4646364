import { createHash } from "node:crypto";

/** One call. `"$name"` stands for a value saved by an earlier step, `{ bytes }` for base64. */
export interface Step {
  readonly call: string;
  readonly with: Readonly<Record<string, unknown>>;
  /** Name → path into the answer. */
  readonly save?: Readonly<Record<string, string>>;
}

const bytes = (data: string | Uint8Array) => ({ bytes: Buffer.from(data).toString("base64") });
const step = (call: string, input: Step["with"] = {}, save?: Step["save"]): Step => ({
  call,
  with: input,
  ...(save !== undefined && { save }),
});
const absent = "00000000-0000-4000-8000-000000000000";
const guest = "arn:aws:iam::111122223333:user/guest";
const digest = (name: string) => bytes(createHash(name).update("message").digest());
const ids = { id: "KeyMetadata.KeyId", arn: "KeyMetadata.Arn" };
const signing = (KeySpec: string) => step("CreateKey", { KeySpec, KeyUsage: "SIGN_VERIFY" }, ids);

function ecdsa(spec: string, algorithm: string, hash: string): Step[] {
  const raw = { KeyId: "$id", Message: bytes("message"), SigningAlgorithm: algorithm };
  const prehashed = { KeyId: "$id", Message: digest(hash), MessageType: "DIGEST", SigningAlgorithm: algorithm };
  return [
    signing(spec),
    step("GetPublicKey", { KeyId: "$id" }),
    step("Sign", raw, { raw: "Signature" }),
    step("Sign", prehashed, { prehashed: "Signature" }),
    step("Verify", { ...raw, Signature: "$raw" }),
    step("Verify", { ...prehashed, Signature: "$prehashed" }),
    step("Verify", { ...raw, Signature: "$prehashed" }),
    step("Verify", { ...raw, Message: bytes("another"), Signature: "$raw" }),
    step("Verify", { ...raw, Signature: bytes("not DER") }),
    step("Sign", { ...raw, Message: bytes("short"), MessageType: "DIGEST" }),
    step("Sign", { ...raw, MessageType: "EXTERNAL_MU" }),
    step("Sign", { ...raw, SigningAlgorithm: "ED25519_SHA_512" }),
    step("Sign", { ...raw, DryRun: true }),
    step("Encrypt", { KeyId: "$id", Plaintext: bytes("data") }),
    step("GenerateDataKey", { KeyId: "$id", KeySpec: "AES_256" }),
  ];
}

/** Scripts that every client of the emulator must get the same answers to. */
export const scripts: Readonly<Record<string, readonly Step[]>> = {
  ECC_NIST_P256: ecdsa("ECC_NIST_P256", "ECDSA_SHA_256", "sha256"),
  ECC_NIST_P384: ecdsa("ECC_NIST_P384", "ECDSA_SHA_384", "sha384"),
  ECC_NIST_P521: ecdsa("ECC_NIST_P521", "ECDSA_SHA_512", "sha512"),
  ECC_NIST_EDWARDS25519: [
    signing("ECC_NIST_EDWARDS25519"),
    step("GetPublicKey", { KeyId: "$arn" }),
    step(
      "Sign",
      { KeyId: "$id", Message: bytes("message"), SigningAlgorithm: "ED25519_SHA_512" },
      { signature: "Signature" },
    ),
    step("Verify", {
      KeyId: "$id",
      Message: bytes("message"),
      SigningAlgorithm: "ED25519_SHA_512",
      Signature: "$signature",
    }),
    step("Verify", {
      KeyId: "$id",
      Message: bytes("messagE"),
      SigningAlgorithm: "ED25519_SHA_512",
      Signature: "$signature",
    }),
    step("Sign", {
      KeyId: "$id",
      Message: digest("sha512"),
      MessageType: "DIGEST",
      SigningAlgorithm: "ED25519_SHA_512",
    }),
    step("Sign", { KeyId: "$id", Message: bytes("message"), SigningAlgorithm: "ED25519_PH_SHA_512" }),
    step("Sign", {
      KeyId: "$id",
      Message: bytes("short"),
      MessageType: "DIGEST",
      SigningAlgorithm: "ED25519_PH_SHA_512",
    }),
    step("Sign", {
      KeyId: "$id",
      Message: digest("sha512"),
      MessageType: "DIGEST",
      SigningAlgorithm: "ED25519_PH_SHA_512",
    }),
    step("Sign", { KeyId: "$id", Message: bytes("message"), SigningAlgorithm: "ECDSA_SHA_256" }),
    step("CreateKey", { KeySpec: "ECC_NIST_EDWARDS25519", KeyUsage: "KEY_AGREEMENT" }),
  ],
  SYMMETRIC_DEFAULT: [
    step("CreateKey", { Description: "data", Tags: [{ TagKey: "team", TagValue: "payments" }] }, ids),
    step("Encrypt", { KeyId: "$id", Plaintext: bytes("data") }, { blob: "CiphertextBlob" }),
    step(
      "Encrypt",
      { KeyId: "$arn", Plaintext: bytes("data"), EncryptionContext: { a: "bc" } },
      { bound: "CiphertextBlob" },
    ),
    step("Decrypt", { CiphertextBlob: "$blob" }),
    step("Decrypt", { CiphertextBlob: "$bound", EncryptionContext: { a: "bc" } }),
    step("Decrypt", { CiphertextBlob: "$bound", EncryptionContext: { ab: "c" } }),
    step("Decrypt", { CiphertextBlob: "$bound" }),
    step("Decrypt", { CiphertextBlob: "$blob", EncryptionContext: { a: "bc" } }),
    step("Decrypt", { CiphertextBlob: bytes("not a ciphertext") }),
    step("Decrypt", { CiphertextBlob: "$blob", DryRun: true }),
    step("GenerateDataKey", { KeyId: "$id", KeySpec: "AES_256" }),
    step("GenerateDataKey", { KeyId: "$id", KeySpec: "AES_128" }),
    step("GenerateDataKey", { KeyId: "$id", NumberOfBytes: 64 }),
    step("GenerateDataKey", { KeyId: "$id" }),
    step("Encrypt", { KeyId: "$id", Plaintext: bytes("") }),
    step("Encrypt", { KeyId: "$id", Plaintext: bytes(new Uint8Array(4097)) }),
    step("Encrypt", { KeyId: "$id", Plaintext: bytes("data"), EncryptionAlgorithm: "RSAES_OAEP_SHA_1" }),
    step("GetPublicKey", { KeyId: "$id" }),
    step("Sign", { KeyId: "$id", Message: bytes("message"), SigningAlgorithm: "ECDSA_SHA_256" }),
    step("CreateKey", {}, { other: "KeyMetadata.KeyId" }),
    step("Decrypt", { CiphertextBlob: "$blob", KeyId: "$other" }),
    step("Decrypt", { CiphertextBlob: "$blob", KeyId: absent }),
  ],
  "RSA_2048 and HMAC_256": [
    step("CreateKey", { KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" }, ids),
    step("GetPublicKey", { KeyId: "$id" }),
    step(
      "Encrypt",
      { KeyId: "$id", Plaintext: bytes("data"), EncryptionAlgorithm: "RSAES_OAEP_SHA_256" },
      { blob: "CiphertextBlob" },
    ),
    step("Decrypt", { KeyId: "$id", CiphertextBlob: "$blob", EncryptionAlgorithm: "RSAES_OAEP_SHA_256" }),
    step("Encrypt", { KeyId: "$id", Plaintext: bytes("data") }),
    step("Encrypt", { KeyId: "$id", Plaintext: bytes(new Uint8Array(191)), EncryptionAlgorithm: "RSAES_OAEP_SHA_256" }),
    step("Sign", { KeyId: "$id", Message: bytes("message"), SigningAlgorithm: "RSASSA_PSS_SHA_256" }),
    signing("RSA_2048"),
    step(
      "Sign",
      { KeyId: "$id", Message: bytes("message"), SigningAlgorithm: "RSASSA_PSS_SHA_256" },
      { signature: "Signature" },
    ),
    step("Verify", {
      KeyId: "$id",
      Message: bytes("message"),
      SigningAlgorithm: "RSASSA_PSS_SHA_256",
      Signature: "$signature",
    }),
    step("CreateKey", { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" }, ids),
    step("DescribeKey", { KeyId: "$id" }),
    step("GetPublicKey", { KeyId: "$id" }),
    step("Encrypt", { KeyId: "$id", Plaintext: bytes("data") }),
  ],
  "life of a key": [
    step("CreateKey", { Description: "life" }, ids),
    step("DescribeKey", { KeyId: "$id" }),
    step("DescribeKey", { KeyId: "$arn" }),
    step("DisableKey", { KeyId: "$id" }),
    step("DescribeKey", { KeyId: "$id" }),
    step("Encrypt", { KeyId: "$id", Plaintext: bytes("data") }),
    step("EnableKey", { KeyId: "$id" }),
    step("Encrypt", { KeyId: "$id", Plaintext: bytes("data") }),
    step("ScheduleKeyDeletion", { KeyId: "$id", PendingWindowInDays: 7 }),
    step("Encrypt", { KeyId: "$id", Plaintext: bytes("data") }),
    step("EnableKey", { KeyId: "$id" }),
    step("CancelKeyDeletion", { KeyId: "$id" }),
    step("CancelKeyDeletion", { KeyId: "$id" }),
    step("DescribeKey", { KeyId: "$id" }),
    step("ScheduleKeyDeletion", { KeyId: "$id", PendingWindowInDays: 6 }),
    step("CreateKey", { MultiRegion: true }, { multi: "KeyMetadata.KeyId" }),
    step("DescribeKey", { KeyId: "$multi" }),
    step("CreateKey", { KeySpec: "ECC_NIST_P256" }),
    step("CreateKey", { KeySpec: "ECC_NIST_P256", KeyUsage: "ENCRYPT_DECRYPT" }),
    step("CreateKey", { KeySpec: "ECC_NIST_P257", KeyUsage: "SIGN_VERIFY" }),
  ],
  aliases: [
    signing("ECC_NIST_P256"),
    step("CreateAlias", { AliasName: "alias/app/signing", TargetKeyId: "$id" }),
    step("CreateAlias", { AliasName: "alias/app/signing", TargetKeyId: "$id" }),
    step("DescribeKey", { KeyId: "alias/app/signing" }),
    step("ListAliases", { KeyId: "$id" }),
    step("CreateKey", { KeySpec: "ECC_NIST_P384", KeyUsage: "SIGN_VERIFY" }, { next: "KeyMetadata.KeyId" }),
    step("UpdateAlias", { AliasName: "alias/app/signing", TargetKeyId: "$next" }),
    step("DescribeKey", { KeyId: "alias/app/signing" }),
    step("CreateKey", {}, { symmetric: "KeyMetadata.KeyId" }),
    step("UpdateAlias", { AliasName: "alias/app/signing", TargetKeyId: "$symmetric" }),
    step("UpdateAlias", { AliasName: "alias/app/absent", TargetKeyId: "$next" }),
    step("CreateAlias", { AliasName: "app/signing", TargetKeyId: "$id" }),
    step("CreateAlias", { AliasName: "alias/aws/signing", TargetKeyId: "$id" }),
    step("CreateAlias", { AliasName: "alias/app:signing", TargetKeyId: "$id" }),
    step("CreateAlias", { AliasName: "alias/app signing", TargetKeyId: "$id" }),
    step("CreateAlias", { AliasName: "alias/app/second", TargetKeyId: "alias/app/signing" }),
    step("CreateAlias", { AliasName: "alias/app/second", TargetKeyId: absent }),
    step("DisableKey", { KeyId: "alias/app/signing" }),
    step("DeleteAlias", { AliasName: "alias/app/signing" }),
    step("DeleteAlias", { AliasName: "alias/app/signing" }),
    step("DescribeKey", { KeyId: "alias/app/signing" }),
  ],
  "tags, policies and lists": [
    step("CreateKey", {}, ids),
    step("TagResource", {
      KeyId: "$id",
      Tags: [
        { TagKey: "a", TagValue: "1" },
        { TagKey: "b", TagValue: "2" },
      ],
    }),
    step("ListResourceTags", { KeyId: "$id" }),
    step("UntagResource", { KeyId: "$id", TagKeys: ["a", "never"] }),
    step("ListResourceTags", { KeyId: "$id" }),
    step("TagResource", { KeyId: "$id", Tags: [{ TagKey: "aws:x", TagValue: "1" }] }),
    step("TagResource", {
      KeyId: "$id",
      Tags: [
        { TagKey: "c", TagValue: "1" },
        { TagKey: "c", TagValue: "2" },
      ],
    }),
    step("GetKeyPolicy", { KeyId: "$id", PolicyName: "default" }),
    step("GetKeyPolicy", { KeyId: "$id" }, { policy: "Policy" }),
    step("GetKeyPolicy", { KeyId: "$id", PolicyName: "other" }),
    step("PutKeyPolicy", { KeyId: "$id", PolicyName: "default", Policy: "$policy" }),
    step("PutKeyPolicy", { KeyId: "$id", PolicyName: "default", Policy: "{}" }),
    step("ListKeys", { Limit: 1 }),
    step("ListKeys", { Marker: "garbled" }),
    step("ListKeys", { Limit: 0 }),
  ],
  "data keys and ReEncrypt": [
    step("CreateKey", { KeySpec: "SYMMETRIC_DEFAULT" }, { other: "KeyMetadata.KeyId" }),
    step("CreateKey", { KeySpec: "SYMMETRIC_DEFAULT" }, ids),
    step("GenerateDataKeyWithoutPlaintext", { KeyId: "$id", KeySpec: "AES_256" }),
    step("GenerateDataKeyWithoutPlaintext", { KeyId: "$id" }),
    step("GenerateDataKeyPair", { KeyId: "$id", KeyPairSpec: "ECC_NIST_P256" }),
    step("GenerateDataKeyPair", { KeyId: "$id", KeyPairSpec: "ECC_NIST_P256", DryRun: true }),
    step("GenerateDataKeyPair", { KeyId: "$id", KeyPairSpec: "AES_256" }),
    step("GenerateDataKeyPairWithoutPlaintext", { KeyId: "$id", KeyPairSpec: "ECC_NIST_P384" }),
    step("Encrypt", { KeyId: "$id", Plaintext: bytes("data") }, { blob: "CiphertextBlob" }),
    step("ReEncrypt", { CiphertextBlob: "$blob", DestinationKeyId: "$other" }),
    step("ReEncrypt", { CiphertextBlob: "$blob", DestinationKeyId: "$other", DryRun: true }),
    step("ReEncrypt", { CiphertextBlob: "$blob", SourceKeyId: "$other", DestinationKeyId: "$id" }),
    step("ReEncrypt", { CiphertextBlob: bytes("garbled"), DestinationKeyId: "$other" }),
    step("ReEncrypt", { DestinationKeyId: "$other" }),
  ],
  grants: [
    step("CreateKey", {}, ids),
    step(
      "CreateGrant",
      { KeyId: "$id", GranteePrincipal: guest, Operations: ["Encrypt", "DescribeKey"], Name: "for-guest" },
      { grant: "GrantId", token: "GrantToken" },
    ),
    step("ListGrants", { KeyId: "$id" }),
    step("CreateGrant", { KeyId: "$id", GranteePrincipal: guest, Operations: ["Encrypt"], DryRun: true }),
    step("CreateGrant", { KeyId: "$id", GranteePrincipal: guest, Operations: ["Fly"] }),
    step("CreateGrant", { KeyId: absent, GranteePrincipal: guest, Operations: ["Encrypt"] }),
    step("RevokeGrant", { KeyId: "$id", GrantId: "$grant" }),
    step("RevokeGrant", { KeyId: "$id", GrantId: "$grant" }),
    step("RetireGrant", { GrantToken: "$token" }),
    step("ListGrants", { KeyId: "$id" }),
  ],
  "names of keys": [
    step("DescribeKey", { KeyId: absent }),
    step("DescribeKey", { KeyId: "not-a-key" }),
    step("DescribeKey", { KeyId: `arn:aws:kms:us-east-1:111122223333:key/${absent}` }),
    step("DescribeKey", { KeyId: `arn:aws:kms:eu-west-1:111122223333:key/${absent}` }),
    step("DescribeKey", { KeyId: "arn:aws:kms:us-east-1:111122223333:alias/absent" }),
    step("DescribeKey", { KeyId: "alias/absent" }),
    step("DescribeKey", { KeyId: "" }),
    step("DescribeKey", {}),
    step("Sign", { KeyId: "", Message: bytes(""), MessageType: "HASHED", SigningAlgorithm: "RS256" }),
    step("EnableKeyRotation", { KeyId: absent }),
  ],
};
