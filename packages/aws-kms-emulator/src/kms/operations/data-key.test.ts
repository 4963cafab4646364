import { createPublicKey, sign, verify } from "node:crypto";
import * as sdk from "@aws-sdk/client-kms";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type KmsEmulator, startKmsEmulator } from "../../index.js";

const [DATA, OTHER, SIGNING] = ["alias/data", "alias/other", "alias/signing"];
const EncryptionContext = { tenant: "a" };
const allow = (Action: string | string[]) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action, Resource: "*" }],
});

let emulator: KmsEmulator;
let client: sdk.KMSClient;
beforeAll(async () => {
  emulator = await startKmsEmulator({
    keys: [
      { spec: "SYMMETRIC_DEFAULT", aliases: [DATA] },
      { spec: "SYMMETRIC_DEFAULT", aliases: [OTHER] },
      { spec: "ECC_NIST_P256", aliases: [SIGNING] },
    ],
  });
  const credentials = emulator.principals.createUser({ name: "user", policies: [allow("kms:*")] });
  const { requestHandler, region } = emulator;
  client = new sdk.KMSClient({ requestHandler, region, credentials, maxAttempts: 1 });
});
afterAll(() => emulator.close());
beforeEach(() => emulator.principals.setPolicies("user", [allow("kms:*")]));

const open = async (CiphertextBlob: Uint8Array | undefined) =>
  (await client.send(new sdk.DecryptCommand({ CiphertextBlob, EncryptionContext }))).Plaintext;

describe("GenerateDataKeyWithoutPlaintext", () => {
  it("wraps a data key under the context, and shows it to nobody", async () => {
    const input = { KeyId: DATA, NumberOfBytes: 20, EncryptionContext };
    const answer = await client.send(new sdk.GenerateDataKeyWithoutPlaintextCommand(input));
    expect(answer).not.toHaveProperty("Plaintext");
    expect(await open(answer.CiphertextBlob)).toHaveLength(20);
  });
});

describe("GenerateDataKeyPair", () => {
  it.for(["ECC_NIST_P256", "RSA_2048", "ECC_NIST_EDWARDS25519"] as const)("makes a pair of %s", async (KeyPairSpec) => {
    const answer = await client.send(
      new sdk.GenerateDataKeyPairCommand({ KeyId: DATA, KeyPairSpec, EncryptionContext }),
    );
    const plain = Buffer.from(answer.PrivateKeyPlaintext ?? []);
    expect(Buffer.from((await open(answer.PrivateKeyCiphertextBlob)) ?? [])).toEqual(plain);
    const hash = KeyPairSpec === "ECC_NIST_EDWARDS25519" ? null : "sha256";
    const signature = sign(hash, plain, { key: plain, format: "der", type: "pkcs8" });
    const spki = createPublicKey({ key: Buffer.from(answer.PublicKey ?? []), format: "der", type: "spki" });
    expect(verify(hash, plain, spki, signature)).toBe(true);
  });

  it("keeps the private half to itself when it is asked to", async () => {
    const input = { KeyId: DATA, KeyPairSpec: "ECC_NIST_P384" as const, EncryptionContext };
    const answer = await client.send(new sdk.GenerateDataKeyPairWithoutPlaintextCommand(input));
    expect(answer).not.toHaveProperty("PrivateKeyPlaintext");
    expect((await open(answer.PrivateKeyCiphertextBlob))?.length).toBeGreaterThan(100);
  });

  it("refuses a spec that is not made here, and a signing key", async () => {
    const ask = (KeyId: string, KeyPairSpec: sdk.DataKeyPairSpec) =>
      client.send(new sdk.GenerateDataKeyPairCommand({ KeyId, KeyPairSpec }));
    await expect(ask(DATA, "RSA_4096")).rejects.toMatchObject({ name: "UnsupportedOperationException" });
    await expect(ask(SIGNING, "RSA_2048")).rejects.toMatchObject({ name: "InvalidKeyUsageException" });
  });
});

describe("ReEncrypt", () => {
  const reEncrypt = (input: Partial<sdk.ReEncryptCommandInput>) =>
    client.send(new sdk.ReEncryptCommand({ CiphertextBlob: undefined, DestinationKeyId: OTHER, ...input }));

  it("moves a ciphertext to another key and context", async () => {
    const { CiphertextBlob } = await client.send(
      new sdk.EncryptCommand({ KeyId: DATA, Plaintext: Uint8Array.of(7), EncryptionContext: { tenant: "b" } }),
    );
    const moved = await reEncrypt({
      CiphertextBlob,
      SourceEncryptionContext: { tenant: "b" },
      DestinationEncryptionContext: EncryptionContext,
    });
    expect(await open(moved.CiphertextBlob)).toEqual(Uint8Array.of(7));
    await expect(reEncrypt({ CiphertextBlob, SourceEncryptionContext: EncryptionContext })).rejects.toMatchObject({
      name: "InvalidCiphertextException",
    });
    await expect(reEncrypt({ CiphertextBlob, SourceKeyId: OTHER })).rejects.toMatchObject({
      name: "IncorrectKeyException",
    });
  });

  it.for([["kms:ReEncryptFrom"], ["kms:ReEncryptTo"]] as const)(
    "asks for two permissions: %s alone is not enough",
    async ([action]) => {
      emulator.principals.setPolicies("user", [allow(action)]);
      const other = action === "kms:ReEncryptFrom" ? "kms:ReEncryptTo" : "kms:ReEncryptFrom";
      await expect(
        reEncrypt({ SourceKeyId: DATA, DryRun: true, DryRunModifiers: ["IGNORE_CIPHERTEXT"] }),
      ).rejects.toMatchObject({
        name: "AccessDeniedException",
        message: expect.stringContaining(`perform: ${other} `),
      });
    },
  );

  it("answers a dry run without a ciphertext, and never carries it out", async () => {
    const dry = { SourceKeyId: DATA, DryRun: true, DryRunModifiers: ["IGNORE_CIPHERTEXT" as const] };
    await expect(reEncrypt(dry)).rejects.toMatchObject({ name: "DryRunOperationException" });
    expect(emulator.calls.at(-1)).toMatchObject({ operation: "ReEncrypt", dryRun: true });
    await expect(reEncrypt({ ...dry, DestinationKeyId: SIGNING })).rejects.toMatchObject({
      name: "InvalidKeyUsageException",
    });
    await expect(reEncrypt({ SourceKeyId: DATA })).rejects.toMatchObject({ name: "ValidationException" });
  });
});
