import {
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GetPublicKeyCommand,
  type KMSClient,
  SignCommand,
  VerifyCommand,
} from "@aws-sdk/client-kms";
import type { KeyRef } from "@basil/core";
import { onKms } from "./capabilities.js";
import { INVALID_SIGNATURE } from "./errors.js";

/** The actions on a key that can be asked for without doing them; GetPublicKey, which changes nothing, is called. */
export type ProvableAction =
  | "kms:Sign"
  | "kms:Verify"
  | "kms:GetPublicKey"
  | "kms:Encrypt"
  | "kms:Decrypt"
  | "kms:GenerateDataKey";

/** Which of them KMS would let anybody make of a key of this type. */
export function provableActions(key: KeyRef): readonly ProvableAction[] {
  return onKms(key).usage === "SIGN_VERIFY"
    ? ["kms:Sign", "kms:Verify", "kms:GetPublicKey"]
    : ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"];
}

const HASH_BYTES = { sha256: 32, sha384: 48, sha512: 64 } as const;
/** SEQUENCE { INTEGER 1, INTEGER 1 }: a signature in form, by no key. */
const DER_SIGNATURE = new Uint8Array([0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01]);
const ONE_BYTE = new Uint8Array(1);

/**
 * Asks KMS whether it would do `action`, by `DryRun`: nothing is signed, encrypted or decrypted.
 * https://docs.aws.amazon.com/kms/latest/developerguide/testing-permissions.html
 *
 * @returns when it would.
 * @throws what KMS says otherwise, `AccessDeniedException` above all.
 */
export async function dryRun(
  client: KMSClient,
  action: ProvableAction,
  key: KeyRef,
  KeyId: string,
  abortSignal: AbortSignal,
): Promise<void> {
  try {
    await ask(client, action, key, KeyId, abortSignal);
  } catch (failure) {
    const name = failure instanceof Error ? failure.name : "";
    // The first is what success looks like; KMS may judge the signature before it comes to that.
    if (name === "DryRunOperationException" || name === INVALID_SIGNATURE) return;
    throw failure;
  }
}

function ask(
  client: KMSClient,
  action: ProvableAction,
  key: KeyRef,
  KeyId: string,
  abortSignal: AbortSignal,
): Promise<unknown> {
  const how = { abortSignal };
  switch (action) {
    case "kms:Sign":
      return client.send(new SignCommand({ KeyId, DryRun: true, ...signing(key).request }), how);
    case "kms:Verify": {
      const { request, signature } = signing(key);
      return client.send(new VerifyCommand({ KeyId, DryRun: true, ...request, Signature: signature }), how);
    }
    case "kms:GetPublicKey":
      return client.send(new GetPublicKeyCommand({ KeyId }), how);
    case "kms:Encrypt":
      return client.send(new EncryptCommand({ KeyId, DryRun: true, Plaintext: ONE_BYTE }), how);
    case "kms:Decrypt":
      return client.send(
        new DecryptCommand({ KeyId, DryRun: true, DryRunModifiers: ["IGNORE_CIPHERTEXT"], CiphertextBlob: undefined }),
        how,
      );
    case "kms:GenerateDataKey":
      return client.send(new GenerateDataKeyCommand({ KeyId, DryRun: true, KeySpec: "AES_256" }), how);
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
