import { within } from "@basil/core";
import type { KmsAction, KmsInput, KmsOutput } from "./client.js";
import type { CredentialSource } from "./credentials.js";
import { incompleteAnswer, kmsError } from "./errors.js";
import { SdkClient } from "./sdk-client.js";

const STANZA = "basil/aws-kms";

export interface AwsKmsSlotOptions extends CredentialSource {
  /** Key id, key ARN or alias of a symmetric key. Needed to wrap; to unwrap it pins the key, else the slot names its own. */
  readonly key?: string;
  /** AWS region of the key. Needed to wrap; to unwrap, the region of the key's ARN when left out. */
  readonly region?: string;
  /** URL in place of the region's endpoint. */
  readonly endpoint?: string;
  readonly fips?: boolean;
}

/** Which slot of which sealed file is meant: 16 bytes and a number, both of which KMS binds as encryption context. */
export interface AwsKmsSlotContext {
  /** 16 bytes. */
  readonly bundleId: Uint8Array;
  readonly slotId: number;
  readonly signal?: AbortSignal;
}

/** One stanza of an age header (https://c2sp.org/age): type, key ARN; the body is what kms:Encrypt made. */
export interface AwsKmsStanza {
  readonly args: readonly string[];
  readonly body: Uint8Array;
}

/** A KMS key that wraps the key of a sealed file, so that a host unseals it with its IAM identity and no person. */
export interface AwsKmsSlot {
  readonly kind: "aws-kms";
  readonly parameters: Readonly<Record<string, string>>;
  /** Wraps the 16-byte file key. Absent without `key` and `region`. */
  wrap?(fileKey: Uint8Array, context: AwsKmsSlotContext): Promise<AwsKmsStanza>;
  /** The file key. */
  unwrap(stanza: AwsKmsStanza, context: AwsKmsSlotContext): Promise<Uint8Array>;
}

/**
 * Wrapping calls kms:Encrypt, unwrapping kms:Decrypt, each with the encryption context `basil:bundle` (base64url of the
 * bundle id) and `basil:slot` (decimal), which a key policy can demand. Both reject with a `BackendError`:
 * `ACCESS_DENIED`, `KEY_NOT_FOUND`, `KEY_UNUSABLE`, `DECRYPT_FAILED` for another key or context, `UNAVAILABLE`, `REJECTED`, `PROTOCOL`.
 */
export function awsKmsSlot(options: AwsKmsSlotOptions): AwsKmsSlot {
  return {
    kind: "aws-kms",
    parameters: {
      ...(options.key !== undefined && { key: options.key }),
      ...(options.region !== undefined && { region: options.region }),
    },
    ...(options.key !== undefined && options.region !== undefined && { wrap: wrapperFor(options, options.key) }),
    async unwrap({ args, body }, context) {
      const [type, arn = ""] = args;
      const region = options.region ?? arn.split(":")[3];
      if (type !== STANZA || args.length !== 2 || region === undefined || region === "") {
        throw new TypeError("the slot holds no aws-kms stanza with a key ARN");
      }
      const key = options.key ?? arn;
      const output = await call(
        "Decrypt",
        { KeyId: key, CiphertextBlob: body, EncryptionContext: contextOf(context) },
        { ...options, region },
        context,
      );
      if (output.Plaintext === undefined) throw incompleteAnswer(subjectOf("Decrypt", key), "a plaintext");
      return output.Plaintext;
    },
  };
}

function wrapperFor(options: AwsKmsSlotOptions, key: string): NonNullable<AwsKmsSlot["wrap"]> {
  return async (fileKey, context) => {
    const input = { KeyId: key, Plaintext: fileKey, EncryptionContext: contextOf(context) };
    const output = await call("Encrypt", input, options, context);
    if (output.KeyId === undefined || output.CiphertextBlob === undefined) {
      throw incompleteAnswer(subjectOf("Encrypt", key), "a ciphertext");
    }
    return { args: [STANZA, output.KeyId], body: output.CiphertextBlob };
  };
}

function contextOf({ bundleId, slotId }: AwsKmsSlotContext): Record<string, string> {
  const id = Buffer.from(bundleId.buffer, bundleId.byteOffset, bundleId.byteLength).toString("base64url");
  return { "basil:bundle": id, "basil:slot": String(slotId) };
}

const OPERATION_TIMEOUT_MS = 20_000;

async function call<A extends "Encrypt" | "Decrypt">(
  action: A,
  input: KmsInput<A>,
  { key: _key, fips, ...source }: AwsKmsSlotOptions,
  { signal }: AwsKmsSlotContext,
): Promise<KmsOutput<A>> {
  const client = new SdkClient({
    ...source,
    connectTimeoutMs: 2_000,
    attemptTimeoutMs: 5_000,
    connections: 1,
    maxAttempts: 3,
    // One call: there is nothing to save.
    wire: "sdk",
    ...(fips !== undefined && { useFipsEndpoint: fips }),
  });
  try {
    // The SDK ignores its signal while it looks for credentials.
    const work = (limited: AbortSignal) => client.call(action, input, limited);
    return (await within(OPERATION_TIMEOUT_MS, signal, work)).output;
  } catch (failure) {
    signal?.throwIfAborted();
    throw kmsError(subjectOf(action, input.KeyId), failure);
  } finally {
    client.close();
  }
}

function subjectOf(action: KmsAction, keyId: string) {
  return { action, key: { name: "bundle slot", path: keyId, keyType: "aes-256-gcm" as const }, keyId };
}
