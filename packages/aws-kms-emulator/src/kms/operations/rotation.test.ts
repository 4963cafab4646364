import * as sdk from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type KmsEmulator, startKmsEmulator } from "../../index.js";

const dayMs = 86_400_000;

describe("the operations that provisioning tools call on a key", () => {
  let emulator: KmsEmulator;
  let client: sdk.KMSClient;

  beforeAll(async () => {
    emulator = await startKmsEmulator({ now: () => 1_700_000_000_000 });
    const { requestHandler, rootCredentials: credentials } = emulator;
    client = new sdk.KMSClient({ requestHandler, region: "us-east-1", maxAttempts: 3, credentials });
  });

  afterAll(() => emulator.close());

  it("report automatic rotation, its period and the next date that is still to come", async () => {
    const { id: KeyId } = await emulator.keys.create({ spec: "SYMMETRIC_DEFAULT" });
    const status = () => client.send(new sdk.GetKeyRotationStatusCommand({ KeyId }));
    expect(await status()).toMatchObject({ KeyId, KeyRotationEnabled: false });
    expect((await status()).NextRotationDate).toBeUndefined();
    await client.send(new sdk.EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }));
    const enabledAt = emulator.clock.now();
    emulator.clock.advance(100 * dayMs);
    expect(await status()).toMatchObject({
      KeyRotationEnabled: true,
      RotationPeriodInDays: 90,
      NextRotationDate: new Date(enabledAt + 180 * dayMs),
    });
    await client.send(new sdk.DisableKeyRotationCommand({ KeyId }));
    expect(await status()).toMatchObject({ KeyRotationEnabled: false });
  });

  it("refuse to rotate an asymmetric key, and report that it is not rotated", async () => {
    const { id: KeyId } = await emulator.keys.create({ spec: "ECC_NIST_P256" });
    await expect(client.send(new sdk.EnableKeyRotationCommand({ KeyId }))).rejects.toMatchObject({
      name: "UnsupportedOperationException",
    });
    expect(await client.send(new sdk.GetKeyRotationStatusCommand({ KeyId }))).toMatchObject({
      KeyRotationEnabled: false,
    });
    await client.send(new sdk.DisableKeyRotationCommand({ KeyId }));
  });

  it("change the description, and list the one policy", async () => {
    const { id: KeyId } = await emulator.keys.create({ spec: "HMAC_256", description: "old" });
    await client.send(new sdk.UpdateKeyDescriptionCommand({ KeyId, Description: "new" }));
    const { KeyMetadata } = await client.send(new sdk.DescribeKeyCommand({ KeyId }));
    expect(KeyMetadata?.Description).toBe("new");
    expect(await client.send(new sdk.ListKeyPoliciesCommand({ KeyId }))).toMatchObject({
      PolicyNames: ["default"],
      Truncated: false,
    });
  });

  it("give as many random bytes as asked for, and need a number", async () => {
    const random = (NumberOfBytes?: number) => client.send(new sdk.GenerateRandomCommand({ NumberOfBytes }));
    const [one, two] = await Promise.all([random(1024), random(1024)]);
    expect(one.Plaintext).toHaveLength(1024);
    expect(one.Plaintext).not.toEqual(two.Plaintext);
    await expect(random()).rejects.toMatchObject({
      name: "ValidationException",
      message: "NumberOfBytes is required.",
    });
    await expect(random(1025)).rejects.toMatchObject({ name: "ValidationException" });
  });
});
