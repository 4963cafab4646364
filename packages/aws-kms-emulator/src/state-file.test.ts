import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
  SignCommand,
  VerifyCommand,
} from "@aws-sdk/client-kms";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type KmsEmulator, startKmsEmulator } from "./index.js";

describe("the state file", () => {
  let folder: string;
  let stateFile: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "kms-state-"));
    stateFile = join(folder, "state.json");
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  const clientOf = (emulator: KmsEmulator, credentials = emulator.rootCredentials) =>
    new KMSClient({ requestHandler: emulator.requestHandler, region: "us-east-1", maxAttempts: 1, credentials });

  it("brings keys of every spec, aliases, policies, principals and sessions over a restart", async () => {
    const policy = { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "kms:*", Resource: "*" } };
    const message = Uint8Array.of(1, 2, 3);
    const options = {
      stateFile,
      users: [{ name: "ann", policies: [policy] }],
      roles: [{ name: "worker", policies: [policy] }],
    };
    const before = await startKmsEmulator(options);
    const session = before.principals.issueSession("worker");
    const root = before.rootCredentials;
    const client = clientOf(before);
    const specs = [
      ["ECC_NIST_P256", "SIGN_VERIFY"],
      ["ECC_NIST_P384", "SIGN_VERIFY"],
      ["ECC_NIST_P521", "SIGN_VERIFY"],
      ["ECC_NIST_EDWARDS25519", "SIGN_VERIFY"],
      ["RSA_2048", "SIGN_VERIFY"],
      ["HMAC_256", "GENERATE_VERIFY_MAC"],
    ] as const;
    for (const [KeySpec, KeyUsage] of specs) await client.send(new CreateKeyCommand({ KeySpec, KeyUsage }));
    const { KeyMetadata: data } = await client.send(new CreateKeyCommand({ Tags: [{ TagKey: "a", TagValue: "b" }] }));
    await client.send(new CreateAliasCommand({ AliasName: "alias/data", TargetKeyId: data?.KeyId }));
    const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId: "alias/data", Plaintext: message }));
    const signing = { KeyId: before.keys.list()[0]?.id, Message: message, SigningAlgorithm: "ECDSA_SHA_256" } as const;
    const { Signature } = await client.send(new SignCommand(signing));
    await client.send(new ScheduleKeyDeletionCommand({ KeyId: before.keys.list()[1]?.id }));
    const listed = before.keys.list();
    const { KeyMetadata: pending } = await client.send(new DescribeKeyCommand({ KeyId: listed[1]?.id }));
    await before.close();

    await using after = await startKmsEmulator(options);
    expect(after.keys.list()).toEqual(listed);
    expect(after.rootCredentials).toEqual(root);
    const again = clientOf(after);
    expect((await again.send(new DecryptCommand({ CiphertextBlob }))).Plaintext).toEqual(message);
    expect((await again.send(new VerifyCommand({ ...signing, Signature }))).SignatureValid).toBe(true);
    expect((await again.send(new DescribeKeyCommand({ KeyId: listed[1]?.id }))).KeyMetadata).toEqual(pending);
    await clientOf(after, session).send(new DescribeKeyCommand({ KeyId: "alias/data" }));
    expect(after.calls.at(-1)?.principal).toBe("arn:aws:sts::111122223333:assumed-role/worker/session");
  });

  it("holds a change before its answer leaves, so that a kill loses nothing that was answered", async () => {
    const emulator = await startKmsEmulator({ stateFile });
    const { KeyMetadata } = await clientOf(emulator).send(new CreateKeyCommand({}));
    const text = await readFile(stateFile, "utf8");
    expect(text).toContain(KeyMetadata?.KeyId);
    await emulator.close();
  });

  it("keeps up with many changes at once", async () => {
    const emulator = await startKmsEmulator({ stateFile });
    const client = clientOf(emulator);
    await Promise.all(Array.from({ length: 30 }, () => client.send(new CreateKeyCommand({}))));
    await emulator.close();
    expect(JSON.parse(await readFile(stateFile, "utf8")).keys).toHaveLength(30);
  });

  it("is readable by its owner only, and leaves nothing beside it", async () => {
    const emulator = await startKmsEmulator({ stateFile });
    await emulator.close();
    expect((await stat(stateFile)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["state.json"]);
  });

  it.for([
    ["not JSON", "{"],
    ["another document", '{"format":"other"}'],
    ["an array", "[]"],
  ])("is refused, and left as it is, when it holds %s", async ([, text]) => {
    await writeFile(stateFile, text ?? "");
    await expect(startKmsEmulator({ stateFile })).rejects.toMatchObject({
      code: "STATE_FILE",
      details: { file: stateFile },
    });
    expect(await readFile(stateFile, "utf8")).toBe(text);
  });

  it("is refused when it is of another account or region, or of a damaged key", async () => {
    const first = await startKmsEmulator({ stateFile, keys: [{ spec: "ECC_NIST_P256" }] });
    await first.close();
    await expect(startKmsEmulator({ stateFile, account: "999900001111" })).rejects.toThrow(
      "is of account 111122223333",
    );
    const state = JSON.parse(await readFile(stateFile, "utf8"));
    state.keys[0].material = "AAAA";
    await writeFile(stateFile, JSON.stringify(state));
    const error = await startKmsEmulator({ stateFile }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "STATE_FILE" });
    expect(String(error)).not.toContain("AAAA");
  });

  it("cannot be written where there is no folder", async () => {
    await expect(startKmsEmulator({ stateFile: join(folder, "no", "state") })).rejects.toMatchObject({
      code: "STATE_FILE",
    });
  });
});
