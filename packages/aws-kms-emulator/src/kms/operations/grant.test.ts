import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as sdk from "@aws-sdk/client-kms";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type KmsEmulator, startKmsEmulator } from "../../index.js";

const DATA = "alias/data";
const Plaintext = Uint8Array.of(1);

let folder: string;
let emulator: KmsEmulator;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kms-grants-"));
  emulator = await start();
});
afterEach(async () => {
  await emulator.close();
  await rm(folder, { recursive: true });
});

const start = () =>
  startKmsEmulator({
    stateFile: join(folder, "state.json"),
    keys: [{ spec: "SYMMETRIC_DEFAULT", aliases: [DATA] }],
    users: [
      { name: "owner", accessKeyId: "AKIDOWNER", secretAccessKey: "owner", policies: [policy("kms:*")] },
      { name: "guest", accessKeyId: "AKIDGUEST", secretAccessKey: "guest", policies: [policy("kms:ListKeys")] },
    ],
  });
const policy = (Action: string) => ({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource: "*" }] });
const arnOf = (name: string) => `arn:aws:iam::111122223333:user/${name}`;
const as = (name: "owner" | "guest") =>
  new sdk.KMSClient({
    requestHandler: emulator.requestHandler,
    region: "us-east-1",
    maxAttempts: 1,
    credentials: { accessKeyId: `AKID${name.toUpperCase()}`, secretAccessKey: name },
  });
const key = () => emulator.keys.list()[0]?.arn ?? "";
const grant = (more: Partial<sdk.CreateGrantCommandInput> = {}) =>
  as("owner").send(
    new sdk.CreateGrantCommand({ KeyId: key(), GranteePrincipal: arnOf("guest"), Operations: ["Encrypt"], ...more }),
  );
const encrypt = (EncryptionContext?: Record<string, string>) =>
  as("guest").send(new sdk.EncryptCommand({ KeyId: DATA, Plaintext, ...(EncryptionContext && { EncryptionContext }) }));
const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, "v"]));
const denied = { name: "AccessDeniedException" };

describe("a grant", () => {
  it("lets its grantee do what it names and no more, until it is revoked", async () => {
    await expect(encrypt()).rejects.toMatchObject(denied);
    const { GrantId, GrantToken } = await grant();
    expect(GrantId).toMatch(/^[0-9a-f]{64}$/);
    expect(GrantToken).not.toBe("");
    const { CiphertextBlob } = await encrypt();
    await expect(as("guest").send(new sdk.DecryptCommand({ KeyId: DATA, CiphertextBlob }))).rejects.toMatchObject(
      denied,
    );
    await as("owner").send(new sdk.RevokeGrantCommand({ KeyId: key(), GrantId }));
    await expect(encrypt()).rejects.toMatchObject(denied);
  });

  it.for([
    ["EncryptionContextSubset", true],
    ["EncryptionContextEquals", false],
  ] as const)("holds its grantee to the encryption context: %s", async ([kind, more]) => {
    await grant({ Constraints: { [kind]: { a: "1" } } });
    await expect(encrypt({ a: "1" })).resolves.toBeDefined();
    await expect(encrypt()).rejects.toMatchObject(denied);
    await expect(encrypt({ a: "2" })).rejects.toMatchObject(denied);
    const wider = encrypt({ a: "1", b: "2" }).then(
      () => true,
      () => false,
    );
    expect(await wider).toBe(more);
  });

  it("does not outweigh a deny", async () => {
    await grant();
    const deny = { Version: "2012-10-17", Statement: [{ Effect: "Deny", Action: "kms:Encrypt", Resource: "*" }] };
    emulator.principals.setPolicies("guest", [deny]);
    await expect(encrypt()).rejects.toMatchObject(denied);
  });

  it("is retired by whom it names, by its token, and by nobody else", async () => {
    const { GrantId, GrantToken } = await grant();
    const retire = (who: "owner" | "guest", input: sdk.RetireGrantCommandInput) =>
      as(who).send(new sdk.RetireGrantCommand(input));
    await expect(retire("guest", { KeyId: key(), GrantId })).rejects.toMatchObject(denied);
    const { GrantToken: own } = await grant({ RetiringPrincipal: arnOf("guest") });
    await retire("guest", { GrantToken: own });
    await retire("owner", { GrantToken });
    await expect(retire("owner", { GrantToken })).rejects.toMatchObject({ name: "InvalidGrantTokenException" });
    await expect(retire("owner", { KeyId: key() })).rejects.toMatchObject({ name: "ValidationException" });
  });

  it("that may be retired by its grantee leaves other grants alone", async () => {
    const { GrantId: own } = await grant({ Operations: ["RetireGrant"] });
    const { GrantId: other } = await grant();
    const retire = (GrantId: string | undefined) =>
      as("guest").send(new sdk.RetireGrantCommand({ KeyId: key(), GrantId }));
    await expect(retire(other)).rejects.toMatchObject(denied);
    await expect(retire(own)).resolves.toBeDefined();
  });

  it.for<[string, Partial<sdk.CreateGrantCommandInput>, boolean]>([
    ["its operations", { Operations: ["Encrypt"] }, true],
    ["another operation", { Operations: ["Encrypt", "Decrypt"] }, false],
    ["no constraint", { Constraints: {} }, false],
    ["another value", { Constraints: { EncryptionContextSubset: { a: "2" } } }, false],
    ["more pairs", { Constraints: { EncryptionContextSubset: { a: "1", b: "2" } } }, true],
    ["the pairs and no others", { Constraints: { EncryptionContextEquals: { a: "1" } } }, true],
  ])("of CreateGrant lets its grantee grant no more than it has: %s, %j", async ([, more, may]) => {
    const Constraints = { EncryptionContextSubset: { a: "1" } };
    await grant({ Operations: ["Encrypt", "CreateGrant"], Constraints });
    const command = new sdk.CreateGrantCommand({
      KeyId: key(),
      GranteePrincipal: arnOf("owner"),
      Operations: ["Encrypt"],
      Constraints,
      ...more,
    });
    const outcome = as("guest")
      .send(command)
      .then(
        () => true,
        ({ name }: Error) => name !== denied.name && name,
      );
    expect(await outcome).toBe(may);
  });

  it("under an exact context is granted on with that context only", async () => {
    await grant({
      Operations: ["Encrypt", "CreateGrant"],
      Constraints: { EncryptionContextEquals: { a: "1" } },
    });
    const grantOn = (Constraints: sdk.GrantConstraints) =>
      as("guest").send(
        new sdk.CreateGrantCommand({
          KeyId: key(),
          GranteePrincipal: arnOf("owner"),
          Operations: ["Encrypt"],
          Constraints,
        }),
      );
    await expect(grantOn({ EncryptionContextSubset: { a: "1" } })).rejects.toMatchObject(denied);
    await expect(grantOn({ EncryptionContextEquals: { a: "1", b: "2" } })).rejects.toMatchObject(denied);
    await expect(grantOn({ EncryptionContextEquals: { a: "1" } })).resolves.toBeDefined();
  });

  it("is judged by the context it is constrained to", async () => {
    const condition = { StringEquals: { "kms:EncryptionContext:tenant": "a" } };
    const [statement] = policy("kms:CreateGrant").Statement;
    const conditional = { Version: "2012-10-17", Statement: [{ ...statement, Condition: condition }] };
    emulator.principals.setPolicies("owner", [conditional]);
    await expect(grant()).rejects.toMatchObject(denied);
    await expect(grant({ Constraints: { EncryptionContextSubset: { tenant: "b" } } })).rejects.toMatchObject(denied);
    await expect(grant({ Constraints: { EncryptionContextEquals: { tenant: "a" } } })).resolves.toBeDefined();
  });

  it("is the same one for the same name and request", async () => {
    const first = await grant({ Name: "once" });
    expect(await grant({ Name: "once" })).toMatchObject({ GrantId: first.GrantId });
    expect((await grant({ Name: "once", Operations: ["Decrypt"] })).GrantId).not.toBe(first.GrantId);
  });

  it("is listed, and there after a restart", async () => {
    const { GrantId } = await grant({ Name: "n", Constraints: { EncryptionContextSubset: { a: "1" } } });
    const list = async () => (await as("owner").send(new sdk.ListGrantsCommand({ KeyId: key() }))).Grants;
    const before = await list();
    expect(before).toMatchObject([
      {
        GrantId,
        Name: "n",
        GranteePrincipal: arnOf("guest"),
        Operations: ["Encrypt"],
        Constraints: { EncryptionContextSubset: { a: "1" } },
        IssuingAccount: "arn:aws:iam::111122223333:root",
      },
    ]);
    await emulator.close();
    emulator = await start();
    expect(await list()).toEqual(before);
    await expect(encrypt({ a: "1" })).resolves.toBeDefined();
  });
});

describe("the dry run of a grant's operations", () => {
  it("makes and takes away nothing", async () => {
    await expect(grant({ DryRun: true })).rejects.toMatchObject({ name: "DryRunOperationException" });
    await expect(encrypt()).rejects.toMatchObject(denied);
    const { GrantId } = await grant();
    const input = (id = GrantId) => ({ KeyId: key(), GrantId: id, DryRun: true });
    const retire = (id?: string) => as("owner").send(new sdk.RetireGrantCommand(input(id)));
    const revoke = (id?: string) => as("owner").send(new sdk.RevokeGrantCommand(input(id)));
    for (const take of [retire, revoke]) {
      await expect(take()).rejects.toMatchObject({ name: "DryRunOperationException" });
      await expect(take("0")).rejects.toMatchObject({ name: "NotFoundException" });
    }
    await expect(encrypt()).resolves.toBeDefined();
  });

  it.for([
    ["an alias", { KeyId: DATA }, "InvalidArnException"],
    ["no grantee", { GranteePrincipal: undefined }, "ValidationException"],
    ["a grantee that is no principal", { GranteePrincipal: "arn:aws:s3:::bucket" }, "InvalidArnException"],
    ["a service as grantee", { GranteeServicePrincipal: "s3.amazonaws.com" }, "UnsupportedOperationException"],
    [
      "a constraint it does not keep",
      { Constraints: { SourceArn: "arn:aws:s3:::b" } },
      "UnsupportedOperationException",
    ],
    ["no operation", { Operations: [] }, "ValidationException"],
    ["CreateGrant alone", { Operations: ["CreateGrant"] }, "ValidationException"],
    ["a grantee that does not exist", { GranteePrincipal: arnOf("absent") }, "InvalidArnException"],
    ["a retiring principal that does not exist", { RetiringPrincipal: arnOf("absent") }, "InvalidArnException"],
    ["nine encryption context pairs", { Constraints: { EncryptionContextSubset: pairs(9) } }, "ValidationException"],
    [
      "eight encryption context pairs",
      { Constraints: { EncryptionContextSubset: pairs(8) } },
      "DryRunOperationException",
    ],
    [
      "an encryption context value of 385 characters",
      { Constraints: { EncryptionContextEquals: { a: "v".repeat(385) } } },
      "ValidationException",
    ],
    [
      "both kinds of constraint",
      { Constraints: { EncryptionContextEquals: { a: "1" }, EncryptionContextSubset: { a: "1" } } },
      "ValidationException",
    ],
    ["an operation that its key has not", { Operations: ["Encrypt", "Sign"] }, "ValidationException"],
    ["an operation on public keys", { Operations: ["GetPublicKey"] }, "ValidationException"],
  ] as const)("refuses %s", async ([, more, name]) => {
    await expect(grant({ DryRun: true, ...more } as Partial<sdk.CreateGrantCommandInput>)).rejects.toMatchObject({
      name,
    });
  });

  it("refuses a constraint on a grant of Sign", async () => {
    const { id } = await emulator.keys.create({ spec: "ECC_NIST_P256" });
    const Constraints = { EncryptionContextSubset: { a: "1" } };
    await expect(grant({ KeyId: id, Operations: ["Sign"], Constraints })).rejects.toMatchObject({
      name: "ValidationException",
    });
  });

  const cipher = { spec: "RSA_2048", usage: "ENCRYPT_DECRYPT" } as const;
  it.for([
    [{ spec: "ECC_NIST_P256" }, "Sign", "ok"],
    [{ spec: "ECC_NIST_P256" }, "GetPublicKey", "ok"],
    [{ spec: "ECC_NIST_P256" }, "Decrypt", "ValidationException"],
    [{ spec: "HMAC_256" }, "VerifyMac", "ok"],
    [{ spec: "HMAC_256" }, "GetPublicKey", "ValidationException"],
    [{ spec: "HMAC_256" }, "DescribeKey", "ok"],
    [cipher, "GetPublicKey", "ok"],
    [cipher, "Encrypt", "ok"],
    [cipher, "GenerateDataKey", "ValidationException"],
  ] as const)("knows what a key can be granted for: %j, %s: %s", async ([options, operation, expected]) => {
    const { id } = await emulator.keys.create(options);
    const outcome = grant({ KeyId: id, Operations: [operation] }).then(
      () => "ok",
      ({ name }: Error) => name,
    );
    expect(await outcome).toBe(expected);
  });
});
