import { readFileSync } from "node:fs";
import * as sdk from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type KmsEmulator, startKmsEmulator } from "../index.js";
import type { inputShapes } from "../kms/input-shapes.js";

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../../vectors/seed/${name}`, import.meta.url), "utf8"));
const runtime = read("iam-runtime.json");
const [signing, data]: string[] = runtime.Statement[0].Resource;
const { Condition } = read("condition-request-alias.json");
const byAlias = {
  ...runtime,
  Statement: [{ ...runtime.Statement[0], Resource: "arn:aws:kms:us-east-1:111122223333:key/*", Condition }],
};

const documents: Record<string, { Statement: { Action: string | string[] }[] }> = {
  "the runtime policy": runtime,
  "the kms:RequestAlias form": byAlias,
  "the provisioner policy": read("iam-provisioner.json"),
};

const Message = Uint8Array.of(1);
const signed = { Message, SigningAlgorithm: "ECDSA_SHA_256" } as const;
const sign = "alias/basil/signing";

/** Every operation that is built, through an alias where it takes one, on a key that the documents name. */
const calls: Record<keyof typeof inputShapes, (client: sdk.KMSClient) => Promise<unknown>> = {
  CreateKey: (client) => client.send(new sdk.CreateKeyCommand({})),
  DescribeKey: (client) => client.send(new sdk.DescribeKeyCommand({ KeyId: sign })),
  GetPublicKey: (client) => client.send(new sdk.GetPublicKeyCommand({ KeyId: sign })),
  Sign: (client) => client.send(new sdk.SignCommand({ KeyId: sign, ...signed })),
  Verify: (client) => client.send(new sdk.VerifyCommand({ KeyId: sign, ...signed, Signature: Message })),
  Encrypt: (client) => client.send(new sdk.EncryptCommand({ KeyId: "alias/basil/data", Plaintext: Message })),
  Decrypt: (client) => client.send(new sdk.DecryptCommand({ KeyId: "alias/basil/data", CiphertextBlob: Message })),
  GenerateDataKey: (client) =>
    client.send(new sdk.GenerateDataKeyCommand({ KeyId: "alias/basil/data", KeySpec: "AES_256" })),
  GenerateDataKeyWithoutPlaintext: (client) =>
    client.send(new sdk.GenerateDataKeyWithoutPlaintextCommand({ KeyId: "alias/basil/data", KeySpec: "AES_256" })),
  GenerateDataKeyPair: (client) =>
    client.send(new sdk.GenerateDataKeyPairCommand({ KeyId: "alias/basil/data", KeyPairSpec: "ECC_NIST_P256" })),
  GenerateDataKeyPairWithoutPlaintext: (client) =>
    client.send(
      new sdk.GenerateDataKeyPairWithoutPlaintextCommand({ KeyId: "alias/basil/data", KeyPairSpec: "ECC_NIST_P256" }),
    ),
  ReEncrypt: (client) =>
    client.send(
      new sdk.ReEncryptCommand({
        CiphertextBlob: Message,
        SourceKeyId: "alias/basil/data",
        DestinationKeyId: "alias/basil/data",
      }),
    ),
  CreateGrant: (client) =>
    client.send(
      new sdk.CreateGrantCommand({
        KeyId: data,
        GranteePrincipal: "arn:aws:iam::111122223333:user/other",
        Operations: ["Encrypt"],
      }),
    ),
  ListGrants: (client) => client.send(new sdk.ListGrantsCommand({ KeyId: data })),
  RetireGrant: (client) => client.send(new sdk.RetireGrantCommand({ KeyId: data, GrantId: "0" })),
  RevokeGrant: (client) => client.send(new sdk.RevokeGrantCommand({ KeyId: data, GrantId: "0" })),
  CreateAlias: (client) =>
    client.send(new sdk.CreateAliasCommand({ AliasName: "alias/basil/new", TargetKeyId: signing })),
  UpdateAlias: (client) => client.send(new sdk.UpdateAliasCommand({ AliasName: sign, TargetKeyId: signing })),
  DeleteAlias: (client) => client.send(new sdk.DeleteAliasCommand({ AliasName: sign })),
  ListAliases: (client) => client.send(new sdk.ListAliasesCommand({})),
  ListKeys: (client) => client.send(new sdk.ListKeysCommand({})),
  EnableKey: (client) => client.send(new sdk.EnableKeyCommand({ KeyId: signing })),
  DisableKey: (client) => client.send(new sdk.DisableKeyCommand({ KeyId: signing })),
  ScheduleKeyDeletion: (client) => client.send(new sdk.ScheduleKeyDeletionCommand({ KeyId: signing })),
  CancelKeyDeletion: (client) => client.send(new sdk.CancelKeyDeletionCommand({ KeyId: signing })),
  TagResource: (client) => client.send(new sdk.TagResourceCommand({ KeyId: signing, Tags: [] })),
  UntagResource: (client) => client.send(new sdk.UntagResourceCommand({ KeyId: signing, TagKeys: [] })),
  ListResourceTags: (client) => client.send(new sdk.ListResourceTagsCommand({ KeyId: signing })),
  GetKeyPolicy: (client) => client.send(new sdk.GetKeyPolicyCommand({ KeyId: signing })),
  ListKeyPolicies: (client) => client.send(new sdk.ListKeyPoliciesCommand({ KeyId: signing })),
  UpdateKeyDescription: (client) =>
    client.send(new sdk.UpdateKeyDescriptionCommand({ KeyId: signing, Description: "" })),
  GetKeyRotationStatus: (client) => client.send(new sdk.GetKeyRotationStatusCommand({ KeyId: signing })),
  EnableKeyRotation: (client) => client.send(new sdk.EnableKeyRotationCommand({ KeyId: signing })),
  DisableKeyRotation: (client) => client.send(new sdk.DisableKeyRotationCommand({ KeyId: signing })),
  GenerateRandom: (client) => client.send(new sdk.GenerateRandomCommand({ NumberOfBytes: 1 })),
  PutKeyPolicy: (client) => client.send(new sdk.PutKeyPolicyCommand({ KeyId: signing, Policy: "{}" })),
};

/** The action that is judged first. */
const actionOf = (operation: keyof typeof calls) => (operation === "ReEncrypt" ? "ReEncryptFrom" : operation);

describe.each(Object.entries(documents))("%s", (_, document) => {
  let emulator: KmsEmulator;
  let client: sdk.KMSClient;

  beforeAll(async () => {
    emulator = await startKmsEmulator({
      keys: [
        { id: signing ?? "", spec: "ECC_NIST_P256", aliases: [sign] },
        { id: data ?? "", spec: "SYMMETRIC_DEFAULT", aliases: ["alias/basil/data"] },
      ],
    });
    const credentials = emulator.principals.createUser({ name: "agent", policies: [document] });
    client = new sdk.KMSClient({
      requestHandler: emulator.requestHandler,
      region: "us-east-1",
      maxAttempts: 1,
      credentials,
    });
  });

  afterAll(() => emulator.close());

  const named = new Set(document.Statement.flatMap(({ Action }) => Action));
  const operations = Object.keys(calls) as (keyof typeof calls)[];

  it.for(operations.filter((operation) => named.has(`kms:${operation}`)))("lets %s through", async (operation) => {
    const outcome = await calls[operation](client).catch((error: Error) => error.name);
    expect(outcome).not.toBe("AccessDeniedException");
    expect(emulator.calls.at(-1)?.decision).toBe("allow");
  });

  it.for(operations.filter((operation) => !named.has(`kms:${operation}`)))(
    "leaves %s out, and it is denied",
    async (operation) => {
      await expect(calls[operation](client)).rejects.toMatchObject({
        name: "AccessDeniedException",
        message: expect.stringContaining(
          `because no identity-based policy allows the kms:${actionOf(operation)} action`,
        ),
      });
      expect(emulator.calls.at(-1)).toMatchObject({ decision: "deny", action: `kms:${actionOf(operation)}` });
    },
  );
});
