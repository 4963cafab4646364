/**
 * The calls of AWS KMS this package makes, with the members it uses and no others. Members are spelled as in the
 * KMS API reference, https://docs.aws.amazon.com/kms/latest/APIReference/. Output members are optional, since what a
 * service answers is checked and not believed.
 */
export interface KmsOperations {
  Sign: {
    input: { KeyId: string; Message: Uint8Array; MessageType: KmsMessageType; SigningAlgorithm: KmsSigningAlgorithm };
    output: { KeyId?: string | undefined; Signature?: Uint8Array | undefined };
  };
  Verify: {
    input: KmsOperations["Sign"]["input"] & { Signature: Uint8Array };
    output: { KeyId?: string | undefined; SignatureValid?: boolean | undefined };
  };
  GetPublicKey: {
    input: { KeyId: string };
    output: {
      KeyId?: string | undefined;
      PublicKey?: Uint8Array | undefined;
      KeySpec?: string | undefined;
      KeyUsage?: string | undefined;
    };
  };
  DescribeKey: { input: { KeyId: string }; output: { KeyMetadata?: KmsKeyMetadata | undefined } };
  Encrypt: {
    input: { KeyId: string; Plaintext: Uint8Array; EncryptionContext?: Record<string, string> };
    output: { KeyId?: string | undefined; CiphertextBlob?: Uint8Array | undefined };
  };
  Decrypt: {
    input: { KeyId: string; CiphertextBlob: Uint8Array; EncryptionContext?: Record<string, string> };
    output: { KeyId?: string | undefined; Plaintext?: Uint8Array | undefined };
  };
  CreateKey: {
    input: {
      KeySpec: KmsKeySpec;
      KeyUsage: KmsKeyUsage;
      Description: string;
      Tags?: { TagKey: string; TagValue: string }[];
    };
    output: { KeyMetadata?: KmsKeyMetadata | undefined };
  };
  CreateAlias: { input: { AliasName: string; TargetKeyId: string }; output: Record<never, never> };
  UpdateAlias: { input: { AliasName: string; TargetKeyId: string }; output: Record<never, never> };
  ListAliases: {
    input: { KeyId: string; Limit: number; Marker?: string };
    output: {
      Aliases?: { AliasName?: string | undefined }[] | undefined;
      Truncated?: boolean | undefined;
      NextMarker?: string | undefined;
    };
  };
  ListKeys: {
    input: { Limit: number; Marker?: string };
    output: {
      Keys?: { KeyArn?: string | undefined }[] | undefined;
      Truncated?: boolean | undefined;
      NextMarker?: string | undefined;
    };
  };
}

export type KmsAction = keyof KmsOperations;
export type KmsInput<A extends KmsAction> = KmsOperations[A]["input"];
export type KmsOutput<A extends KmsAction> = KmsOperations[A]["output"];

export type KmsMessageType = "RAW" | "DIGEST";
export type KmsKeyUsage = "SIGN_VERIFY" | "ENCRYPT_DECRYPT";
export type KmsSigningAlgorithm = "ED25519_SHA_512" | "ECDSA_SHA_256" | "ECDSA_SHA_384" | "ECDSA_SHA_512";
export type KmsKeySpec =
  | "ECC_NIST_EDWARDS25519"
  | "ECC_NIST_P256"
  | "ECC_NIST_P384"
  | "ECC_NIST_P521"
  | "SYMMETRIC_DEFAULT";

/** What is read of KeyMetadata. Spec, usage and state stay text: KMS has more of each than this package uses. */
export interface KmsKeyMetadata {
  Arn?: string | undefined;
  KeySpec?: string | undefined;
  KeyUsage?: string | undefined;
  KeyState?: string | undefined;
  Description?: string | undefined;
  MultiRegion?: boolean | undefined;
  CreationDate?: Date | undefined;
  DeletionDate?: Date | undefined;
}

export interface KmsAnswer<A extends KmsAction> {
  readonly output: KmsOutput<A>;
  /** The id CloudTrail records as `requestID`. */
  readonly requestId?: string;
  /** How many requests went out for this one answer. */
  readonly attempts: number;
}

/** The wire to KMS. Failures are thrown as the wire has them: an error whose `name` is the code KMS gave. */
export interface KmsCalls {
  /**
   * Everything but CreateKey may be sent more than once after throttling or a transient fault.
   * CreateKey has no client token, so a second one could leave a second key: it is sent again only when KMS
   * provably did not act on the first.
   *
   * It settles as soon as `signal` aborts, and by `endsAt` at the latest.
   *
   * @param endsAt - By `performance.now()`, its retries included. Absent: no limit but those of the attempts.
   */
  call<A extends KmsAction>(action: A, input: KmsInput<A>, signal: AbortSignal, endsAt?: number): Promise<KmsAnswer<A>>;
  close(): void;
}
