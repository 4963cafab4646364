import { createHash, createPublicKey, verify } from "node:crypto";
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GetPublicKeyCommand,
  KMSClient,
  SignCommand,
  VerifyCommand,
} from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type KmsEmulator, startKmsEmulator } from "./index.js";

const message = new TextEncoder().encode("a message");
const everything = { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "kms:*", Resource: "*" } };

describe("startKmsEmulator", () => {
  let emulator: KmsEmulator;
  let kms: KMSClient;

  beforeAll(async () => {
    emulator = await startKmsEmulator();
    const user = emulator.principals.createUser({ name: "tester", policies: [everything] });
    kms = new KMSClient({ endpoint: emulator.endpoint, region: emulator.region, credentials: user, maxAttempts: 1 });
  });

  afterAll(async () => {
    kms.destroy();
    await emulator.close();
  });

  it.for([
    ["ECC_NIST_P256", "ECDSA_SHA_256", "sha256"],
    ["ECC_NIST_P384", "ECDSA_SHA_384", "sha384"],
    ["ECC_NIST_P521", "ECDSA_SHA_512", "sha512"],
  ] as const)(
    "signs with %s so that node:crypto verifies it, message and digest alike",
    async ([spec, algorithm, hash]) => {
      const { KeyMetadata: key } = await kms.send(new CreateKeyCommand({ KeySpec: spec, KeyUsage: "SIGN_VERIFY" }));
      const KeyId = key?.KeyId;
      const { PublicKey: der } = await kms.send(new GetPublicKeyCommand({ KeyId }));
      const publicKey = createPublicKey({ key: Buffer.from(der ?? []), format: "der", type: "spki" });
      const digest = createHash(hash).update(message).digest();
      for (const [Message, MessageType] of [
        [message, "RAW"],
        [digest, "DIGEST"],
      ] as const) {
        const { Signature: signature } = await kms.send(
          new SignCommand({ KeyId, Message, MessageType, SigningAlgorithm: algorithm }),
        );
        expect(verify(hash, message, publicKey, signature ?? new Uint8Array())).toBe(true);
        for (const other of [
          { Message: message, MessageType: "RAW" },
          { Message: digest, MessageType: "DIGEST" },
        ] as const) {
          const answer = await kms.send(
            new VerifyCommand({ KeyId, ...other, SigningAlgorithm: algorithm, Signature: signature }),
          );
          expect(answer.SignatureValid).toBe(true);
        }
      }
    },
  );

  it("signs with Ed25519 as RFC 8032 does", async () => {
    const { KeyMetadata: key } = await kms.send(
      new CreateKeyCommand({ KeySpec: "ECC_NIST_EDWARDS25519", KeyUsage: "SIGN_VERIFY" }),
    );
    const KeyId = key?.Arn;
    const { PublicKey: der } = await kms.send(new GetPublicKeyCommand({ KeyId }));
    const { Signature: signature } = await kms.send(
      new SignCommand({ KeyId, Message: message, SigningAlgorithm: "ED25519_SHA_512" }),
    );
    expect(der).toHaveLength(44);
    const publicKey = createPublicKey({ key: Buffer.from(der ?? []), format: "der", type: "spki" });
    expect(verify(null, message, publicKey, signature ?? new Uint8Array())).toBe(true);
  });

  it("encrypts and decrypts through an alias, bound to the encryption context", async () => {
    const { KeyMetadata: key } = await kms.send(new CreateKeyCommand({}));
    await kms.send(new CreateAliasCommand({ AliasName: "alias/basil/payload", TargetKeyId: key?.KeyId }));
    const KeyId = "alias/basil/payload";
    const EncryptionContext = { purpose: "test" };
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: message, EncryptionContext }));
    const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
    expect(Plaintext).toEqual(message);
    await expect(kms.send(new DecryptCommand({ CiphertextBlob, KeyId }))).rejects.toMatchObject({
      name: "InvalidCiphertextException",
    });
  });

  it("decides by the identity policy of the moment and names what is missing", async () => {
    const { arn } = await emulator.keys.create({ spec: "ECC_NIST_P256", aliases: ["alias/basil/watched"] });
    const policy = (...Action: string[]) => ({
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Action, Resource: arn },
    });
    const user = emulator.principals.createUser({ name: "runtime", policies: [policy("kms:DescribeKey", "kms:Sign")] });
    const client = new KMSClient({ requestHandler: emulator.requestHandler, region: "us-east-1", credentials: user });
    const describeKey = new DescribeKeyCommand({ KeyId: "alias/basil/watched" });
    await client.send(describeKey);
    emulator.principals.setPolicies("runtime", [policy("kms:Sign")]);
    await expect(client.send(describeKey)).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: `User: ${user.arn} is not authorized to perform: kms:DescribeKey on resource: ${arn} because no identity-based policy allows the kms:DescribeKey action`,
    });
    expect(emulator.calls.at(-1)).toMatchObject({
      service: "kms",
      operation: "DescribeKey",
      action: "kms:DescribeKey",
      principal: user.arn,
      resource: arn,
      keyId: "alias/basil/watched",
      decision: "deny",
      errorCode: "AccessDeniedException",
      status: 400,
    });
  });
});
