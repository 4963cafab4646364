import * as sdk from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type KeyState, type KmsEmulator, startKmsEmulator } from "../index.js";

const states = [
  "Enabled",
  "Disabled",
  "PendingDeletion",
  "PendingImport",
  "Unavailable",
  "Creating",
  "Updating",
] as const satisfies KeyState[];
const bytes = Uint8Array.of(1);
const window = { PendingWindowInDays: 7 };
const signed = { Message: bytes, SigningAlgorithm: "ECDSA_SHA_256" } as const;

const D = "DisabledException: {arn} is disabled.";
const P = "KMSInvalidStateException: {arn} is pending deletion.";
const I = "KMSInvalidStateException: {arn} is pending import.";
const U = "KMSInvalidStateException: {arn} is unavailable.";
const C = "KMSInvalidStateException: {arn} is creating.";
const W = "KMSInvalidStateException: {arn} is updating.";
const N = "KMSInvalidStateException: {arn} is not pending deletion.";
const wrong =
  "IncorrectKeyException: The key ID in the request does not identify a CMK that can perform this operation.";
const ok = "ok";

const granted: Pick<sdk.CreateGrantCommandInput, "GranteePrincipal" | "Operations"> = {
  GranteePrincipal: "arn:aws:iam::111122223333:role/app",
  Operations: ["Encrypt"],
};

/** KMS Developer Guide, "Key states of AWS KMS keys": one column a state, in the order of `states`. */
const X = "UnsupportedOperationException: UnknownError";

const table = {
  Encrypt: [ok, D, P, I, U, C, ok],
  GenerateDataKey: [ok, D, P, I, U, C, ok],
  Decrypt: [ok, D, P, wrong, U, C, ok],
  Sign: [ok, D, P, I, U, C, ok],
  Verify: [ok, D, P, I, U, C, ok],
  GetPublicKey: [ok, ok, P, I, ok, C, ok],
  DescribeKey: [ok, ok, ok, ok, ok, ok, ok],
  ListResourceTags: [ok, ok, ok, ok, ok, ok, ok],
  GetKeyPolicy: [ok, ok, ok, ok, ok, ok, ok],
  PutKeyPolicy: [ok, ok, ok, ok, ok, ok, ok],
  ListAliases: [ok, ok, ok, ok, ok, ok, ok],
  CreateAlias: [ok, ok, P, ok, ok, ok, ok],
  DeleteAlias: [ok, ok, ok, ok, ok, ok, ok],
  TagResource: [ok, ok, P, ok, ok, ok, ok],
  UntagResource: [ok, ok, P, ok, ok, ok, ok],
  EnableKey: [ok, ok, P, I, ok, C, W],
  DisableKey: [ok, ok, P, I, ok, C, W],
  ScheduleKeyDeletion: [ok, ok, P, ok, ok, ok, W],
  CancelKeyDeletion: [N, N, ok, N, N, N, N],
  CreateGrant: [ok, D, P, I, ok, C, ok],
  ListGrants: [ok, ok, ok, ok, ok, ok, ok],
  ListKeyPolicies: [ok, ok, ok, ok, ok, ok, ok],
  UpdateKeyDescription: [ok, ok, P, ok, ok, ok, ok],
  GetKeyRotationStatus: [ok, ok, ok, X, X, ok, ok],
  EnableKeyRotation: [ok, D, P, X, X, C, ok],
  DisableKeyRotation: [ok, D, P, X, X, C, ok],
} as const;
type Operation = keyof typeof table;

describe("key states", () => {
  let emulator: KmsEmulator;
  let client: sdk.KMSClient;

  beforeAll(async () => {
    emulator = await startKmsEmulator({ roles: [{ name: "app" }] });
    const credentials = emulator.rootCredentials;
    client = new sdk.KMSClient({
      requestHandler: emulator.requestHandler,
      region: "us-east-1",
      maxAttempts: 1,
      credentials,
    });
  });

  afterAll(() => emulator.close());

  let made = 0;
  async function prepare(operation: Operation): Promise<{ id: string; arn: string; call: () => Promise<unknown> }> {
    const asymmetric = ["Sign", "Verify", "GetPublicKey"].includes(operation);
    const alias = `alias/state/${made++}`;
    const aliases = operation === "DeleteAlias" ? [alias] : [];
    const { id, arn } = await emulator.keys.create({
      spec: asymmetric ? "ECC_NIST_P256" : "SYMMETRIC_DEFAULT",
      aliases,
    });
    const KeyId = id;
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: {
        Effect: "Allow",
        Principal: { AWS: "arn:aws:iam::111122223333:root" },
        Action: "kms:*",
        Resource: "*",
      },
    });
    const { Signature } = asymmetric ? await client.send(new sdk.SignCommand({ KeyId, ...signed })) : {};
    const { CiphertextBlob } = asymmetric ? {} : await client.send(new sdk.EncryptCommand({ KeyId, Plaintext: bytes }));
    const calls: Record<Operation, () => Promise<unknown>> = {
      Encrypt: () => client.send(new sdk.EncryptCommand({ KeyId, Plaintext: bytes })),
      GenerateDataKey: () => client.send(new sdk.GenerateDataKeyCommand({ KeyId, KeySpec: "AES_256" })),
      Decrypt: () => client.send(new sdk.DecryptCommand({ KeyId, CiphertextBlob })),
      Sign: () => client.send(new sdk.SignCommand({ KeyId, ...signed })),
      Verify: () => client.send(new sdk.VerifyCommand({ KeyId, ...signed, Signature })),
      GetPublicKey: () => client.send(new sdk.GetPublicKeyCommand({ KeyId })),
      DescribeKey: () => client.send(new sdk.DescribeKeyCommand({ KeyId })),
      ListResourceTags: () => client.send(new sdk.ListResourceTagsCommand({ KeyId })),
      GetKeyPolicy: () => client.send(new sdk.GetKeyPolicyCommand({ KeyId })),
      PutKeyPolicy: () => client.send(new sdk.PutKeyPolicyCommand({ KeyId, Policy })),
      ListAliases: () => client.send(new sdk.ListAliasesCommand({ KeyId })),
      CreateAlias: () => client.send(new sdk.CreateAliasCommand({ AliasName: alias, TargetKeyId: KeyId })),
      DeleteAlias: () => client.send(new sdk.DeleteAliasCommand({ AliasName: alias })),
      TagResource: () => client.send(new sdk.TagResourceCommand({ KeyId, Tags: [] })),
      UntagResource: () => client.send(new sdk.UntagResourceCommand({ KeyId, TagKeys: [] })),
      EnableKey: () => client.send(new sdk.EnableKeyCommand({ KeyId })),
      DisableKey: () => client.send(new sdk.DisableKeyCommand({ KeyId })),
      ScheduleKeyDeletion: () => client.send(new sdk.ScheduleKeyDeletionCommand({ KeyId, ...window })),
      CancelKeyDeletion: () => client.send(new sdk.CancelKeyDeletionCommand({ KeyId })),
      CreateGrant: () => client.send(new sdk.CreateGrantCommand({ KeyId, ...granted })),
      ListGrants: () => client.send(new sdk.ListGrantsCommand({ KeyId })),
      ListKeyPolicies: () => client.send(new sdk.ListKeyPoliciesCommand({ KeyId })),
      UpdateKeyDescription: () => client.send(new sdk.UpdateKeyDescriptionCommand({ KeyId, Description: "d" })),
      GetKeyRotationStatus: () => client.send(new sdk.GetKeyRotationStatusCommand({ KeyId })),
      EnableKeyRotation: () => client.send(new sdk.EnableKeyRotationCommand({ KeyId })),
      DisableKeyRotation: () => client.send(new sdk.DisableKeyRotationCommand({ KeyId })),
    };
    return { id, arn, call: calls[operation] };
  }

  const cases = (Object.keys(table) as Operation[]).flatMap((operation) =>
    states.map((state, i) => [operation, state, table[operation][i] ?? ""] as const),
  );
  it.for(cases)("%s on a key that is %s: %s", async ([operation, state, expected]) => {
    const { id, arn, call } = await prepare(operation);
    emulator.keys.setState(id, state);
    const outcome = await call().then(
      () => "ok",
      (error: Error) => `${error.name}: ${error.message}`,
    );
    expect(outcome).toBe(expected.replace("{arn}", arn));
  });

  it("come back Disabled after a cancelled deletion, and without a deletion date", async () => {
    const { id: KeyId } = await emulator.keys.create({ spec: "SYMMETRIC_DEFAULT" });
    await client.send(new sdk.ScheduleKeyDeletionCommand({ KeyId }));
    await client.send(new sdk.CancelKeyDeletionCommand({ KeyId }));
    const { KeyMetadata } = await client.send(new sdk.DescribeKeyCommand({ KeyId }));
    expect(KeyMetadata).toMatchObject({ KeyState: "Disabled", Enabled: false });
    expect(KeyMetadata?.DeletionDate).toBeUndefined();
  });
});

describe("a key whose waiting period is over", () => {
  it("is gone, its aliases with it", async () => {
    let now = Date.now();
    await using emulator = await startKmsEmulator({ now: () => now });
    const { id, arn } = await emulator.keys.create({ spec: "SYMMETRIC_DEFAULT", aliases: ["alias/doomed"] });
    const client = () =>
      new sdk.KMSClient({
        requestHandler: emulator.requestHandler,
        region: "us-east-1",
        maxAttempts: 1,
        credentials: emulator.rootCredentials,
        systemClockOffset: now - Date.now(),
      });
    await client().send(new sdk.ScheduleKeyDeletionCommand({ KeyId: id, ...window }));
    now += 7 * 86_400_000 - 1;
    await client().send(new sdk.DescribeKeyCommand({ KeyId: "alias/doomed" }));
    now += 1;
    await expect(client().send(new sdk.DescribeKeyCommand({ KeyId: id }))).rejects.toThrow(
      `Key '${arn}' does not exist`,
    );
    await expect(client().send(new sdk.DescribeKeyCommand({ KeyId: "alias/doomed" }))).rejects.toThrow("is not found.");
    expect(emulator.keys.list()).toEqual([]);
  });
});
