import { generateKeyPairSync } from "node:crypto";
import { DecryptCommand, EncryptCommand, GetPublicKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { describe, expect, it } from "vitest";
import { type KeyOptions, startKmsEmulator } from "./index.js";

const id = "1111abcd-12ab-34cd-56ef-1234567890ab";

describe("keys.create", () => {
  it.for([
    ["a UUID", id, `arn:aws:kms:us-east-1:111122223333:key/${id}`],
    ["a key ARN", `arn:aws:kms:us-east-1:111122223333:key/${id}`, `arn:aws:kms:us-east-1:111122223333:key/${id}`],
    [
      "a multi-Region id",
      "mrk-1234abcd12ab34cd56ef1234567890ab",
      "arn:aws:kms:us-east-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab",
    ],
  ] as const)("takes %s", async ([, given, arn]) => {
    await using emulator = await startKmsEmulator();
    expect(await emulator.keys.create({ spec: "SYMMETRIC_DEFAULT", id: given })).toEqual({
      id: arn.split("/")[1],
      arn,
    });
  });

  it.for([
    ["ECC_NIST_P256", () => generateKeyPairSync("ec", { namedCurve: "prime256v1" })],
    ["ECC_NIST_P384", () => generateKeyPairSync("ec", { namedCurve: "secp384r1" })],
    ["ECC_NIST_P521", () => generateKeyPairSync("ec", { namedCurve: "secp521r1" })],
    ["ECC_NIST_EDWARDS25519", () => generateKeyPairSync("ed25519")],
    ["RSA_2048", () => generateKeyPairSync("rsa", { modulusLength: 2048 })],
  ] as const)("takes given material of %s as PEM, DER and base64", async ([spec, generate]) => {
    await using emulator = await startKmsEmulator();
    const { privateKey, publicKey } = generate();
    const der = privateKey.export({ type: "pkcs8", format: "der" });
    const credentials = emulator.rootCredentials;
    const client = new KMSClient({ requestHandler: emulator.requestHandler, region: "us-east-1", credentials });
    for (const material of [
      privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      new Uint8Array(der),
      der.toString("base64"),
    ]) {
      const { id: KeyId } = await emulator.keys.create({ spec, material });
      const { PublicKey } = await client.send(new GetPublicKeyCommand({ KeyId }));
      expect(Buffer.from(PublicKey ?? [])).toEqual(publicKey.export({ type: "spki", format: "der" }));
    }
  });

  it("takes 32 bytes for a symmetric key, and each key opens its own blobs only", async () => {
    await using emulator = await startKmsEmulator();
    const credentials = emulator.rootCredentials;
    const client = new KMSClient({ requestHandler: emulator.requestHandler, region: "us-east-1", credentials });
    const material = new Uint8Array(32).fill(7);
    const { id: one } = await emulator.keys.create({ spec: "SYMMETRIC_DEFAULT", material });
    const { id: other } = await emulator.keys.create({
      spec: "SYMMETRIC_DEFAULT",
      material: Buffer.from(material).toString("base64"),
    });
    const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId: one, Plaintext: Uint8Array.of(1) }));
    await expect(client.send(new DecryptCommand({ KeyId: other, CiphertextBlob }))).rejects.toMatchObject({
      name: "IncorrectKeyException",
    });
  });

  const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  it.for([
    [{ spec: "RSA_1024" }, "spec"],
    [{ spec: "ECC_NIST_P256", usage: "ENCRYPT_DECRYPT" }, "usage"],
    [{ spec: "ECC_NIST_P256", state: "Sleeping" }, "state"],
    [{ spec: "ECC_NIST_P256", id: "mine" }, "id"],
    [{ spec: "ECC_NIST_P256", id: `arn:aws:kms:eu-west-1:111122223333:key/${id}` }, "id"],
    [{ spec: "ECC_NIST_P256", id, multiRegion: true }, "id"],
    [{ spec: "ECC_NIST_P256", aliases: ["signing"] }, "aliases"],
    [{ spec: "ECC_NIST_P256", aliases: ["alias/aws/signing"] }, "aliases"],
    [{ spec: "ECC_NIST_P256", material: pem }, "material"],
    [{ spec: "ECC_NIST_P256", material: "nonsense" }, "material"],
    [{ spec: "SYMMETRIC_DEFAULT", material: Uint8Array.of(1) }, "material"],
  ] as const)("refuses %j and names the field", async ([options, path]) => {
    const error = await startKmsEmulator({ keys: [options as KeyOptions] }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "OPTION_INVALID", details: { path: `keys[0].${path}` } });
    expect(String(error)).toContain(`keys[0].${path}: `);
    expect(String(error)).not.toContain("PRIVATE");
  });

  it("refuses an id or alias twice", async () => {
    await using emulator = await startKmsEmulator({ keys: [{ spec: "HMAC_256", id, aliases: ["alias/a"] }] });
    await expect(emulator.keys.create({ spec: "HMAC_256", id })).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    await expect(emulator.keys.create({ spec: "HMAC_256", aliases: ["alias/a"] })).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
    });
  });
});
