import {
  CreateGrantCommand,
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GetPublicKeyCommand,
  type KMSClient,
  ReEncryptCommand,
  RetireGrantCommand,
  RevokeGrantCommand,
  SignCommand,
  VerifyCommand,
} from "@aws-sdk/client-kms";
import type { KeyRef } from "@basil/core";
import { onKms } from "./capabilities.js";
import { INVALID_SIGNATURE } from "./errors.js";

/** Which calls say what an identity may do with a key of a usage. Those on MAC and key agreement keys are not among them: no catalog names such a key. */
const SIGNING = ["kms:Sign", "kms:Verify", "kms:GetPublicKey"] as const;
const CIPHERING = [
  "kms:Encrypt",
  "kms:Decrypt",
  "kms:GenerateDataKey",
  "kms:GenerateDataKeyWithoutPlaintext",
  "kms:GenerateDataKeyPair",
  "kms:GenerateDataKeyPairWithoutPlaintext",
  "kms:ReEncryptFrom",
  "kms:ReEncryptTo",
] as const;
const GRANTING = ["kms:CreateGrant", "kms:RetireGrant", "kms:RevokeGrant"] as const;

/** The actions on a key that can be asked for without doing them; GetPublicKey, which changes nothing, is called. */
export type ProvableAction = (typeof SIGNING)[number] | (typeof CIPHERING)[number] | (typeof GRANTING)[number];

/** Which of them KMS would let anybody make of a key of this type, those a broker may need first. */
export function provableActions(key: KeyRef): readonly ProvableAction[] {
  return [...(onKms(key).usage === "SIGN_VERIFY" ? SIGNING : CIPHERING), ...GRANTING];
}

/** A key that was described, and who asks. */
export interface DryRunSubject {
  readonly key: KeyRef;
  /** As the broker names it to KMS, so that `kms:RequestAlias` is what it will be. */
  readonly keyId: string;
  readonly arn: string;
  /** For CreateGrant, which wants somebody to grant to. */
  readonly principal: string | undefined;
}

/**
 * What is an answer "it would be done". KMS may judge the signature of a Verify before it comes to the dry run: which of
 * the two comes first on AWS is not documented, and either one is past the permission.
 */
const WOULD_BE_DONE: ReadonlySet<string> = new Set(["DryRunOperationException", INVALID_SIGNATURE]);

/** `would`: KMS would do it. `did`: it was done, so that the other side does not know dry runs. */
export type DryRunAnswer = "would" | "did";

/**
 * Asks KMS whether it would do `action`, by `DryRun`: nothing is signed, encrypted, decrypted or granted.
 * https://docs.aws.amazon.com/kms/latest/developerguide/testing-permissions.html
 *
 * @throws what KMS says otherwise, `AccessDeniedException` above all.
 */
export async function dryRun(
  client: KMSClient,
  action: ProvableAction,
  subject: DryRunSubject,
  abortSignal: AbortSignal,
): Promise<DryRunAnswer> {
  try {
    await ask(client, action, subject, { abortSignal });
    return action === "kms:GetPublicKey" ? "would" : "did";
  } catch (failure) {
    if (failure instanceof Error && WOULD_BE_DONE.has(failure.name)) return "would";
    throw failure;
  }
}

const HASH_BYTES = { sha256: 32, sha384: 48, sha512: 64 } as const;
/** SEQUENCE { INTEGER 1, INTEGER 1 }: a signature in form, by no key. */
const DER_SIGNATURE = new Uint8Array([0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01]);
const ONE_BYTE = new Uint8Array(1);
/** 64 hexadecimal digits, as KMS makes them; of no grant. */
const NO_GRANT = "0".repeat(64);
const DryRun = true;
/** Without a ciphertext: only the permission is judged. */
const ignoreCiphertext = {
  DryRun,
  DryRunModifiers: ["IGNORE_CIPHERTEXT" as const],
  CiphertextBlob: undefined,
};

function ask(
  client: KMSClient,
  action: ProvableAction,
  { key, keyId: KeyId, arn, principal }: DryRunSubject,
  how: { readonly abortSignal: AbortSignal },
): Promise<unknown> {
  switch (action) {
    case "kms:Sign":
      return client.send(new SignCommand({ KeyId, DryRun, ...signing(key).request }), how);
    case "kms:Verify": {
      const { request, signature } = signing(key);
      return client.send(new VerifyCommand({ KeyId, DryRun, ...request, Signature: signature }), how);
    }
    case "kms:GetPublicKey":
      return client.send(new GetPublicKeyCommand({ KeyId }), how);
    case "kms:Encrypt":
      return client.send(new EncryptCommand({ KeyId, DryRun, Plaintext: ONE_BYTE }), how);
    case "kms:Decrypt":
      return client.send(new DecryptCommand({ KeyId, ...ignoreCiphertext }), how);
    case "kms:GenerateDataKey":
      return client.send(new GenerateDataKeyCommand({ KeyId, DryRun, KeySpec: "AES_256" }), how);
    case "kms:GenerateDataKeyWithoutPlaintext":
      return client.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, DryRun, KeySpec: "AES_256" }), how);
    case "kms:GenerateDataKeyPair":
      return client.send(new GenerateDataKeyPairCommand({ KeyId, DryRun, KeyPairSpec: "ECC_NIST_P256" }), how);
    case "kms:GenerateDataKeyPairWithoutPlaintext": {
      const input = { KeyId, DryRun, KeyPairSpec: "ECC_NIST_P256" } as const;
      return client.send(new GenerateDataKeyPairWithoutPlaintextCommand(input), how);
    }
    // One operation, two actions: from the key to itself, so that both are asked about this key alone.
    case "kms:ReEncryptFrom":
    case "kms:ReEncryptTo":
      return client.send(
        new ReEncryptCommand({ SourceKeyId: KeyId, DestinationKeyId: KeyId, ...ignoreCiphertext }),
        how,
      );
    // The operations on grants take no alias.
    case "kms:CreateGrant": {
      const input = { KeyId: arn, DryRun, GranteePrincipal: principal, Operations: ["DescribeKey" as const] };
      return client.send(new CreateGrantCommand(input), how);
    }
    case "kms:RetireGrant":
      return client.send(new RetireGrantCommand({ KeyId: arn, DryRun, GrantId: NO_GRANT }), how);
    case "kms:RevokeGrant":
      return client.send(new RevokeGrantCommand({ KeyId: arn, DryRun, GrantId: NO_GRANT }), how);
  }
}

function signing(key: KeyRef) {
  const scheme = onKms(key).signing;
  if (scheme === undefined) throw new TypeError(`${key.keyType} does not sign`);
  const bytes = scheme.hash === undefined ? 1 : HASH_BYTES[scheme.hash];
  return {
    request: {
      Message: new Uint8Array(bytes),
      MessageType: scheme.messageType,
      SigningAlgorithm: scheme.algorithm,
    },
    signature: scheme.hash === undefined ? new Uint8Array(scheme.signatureBytes) : DER_SIGNATURE,
  };
}
