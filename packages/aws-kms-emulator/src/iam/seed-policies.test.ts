import { readFileSync } from "node:fs";
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
import { type KmsEmulator, startKmsEmulator } from "../index.js";

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../../vectors/seed/${name}`, import.meta.url), "utf8"));
const runtime = read("iam-runtime.json");
const provisioner = read("iam-provisioner.json");
const { Condition } = read("condition-request-alias.json");
const [signingArn, dataArn]: string[] = runtime.Statement[0].Resource;
const otherArn = "arn:aws:kms:us-east-1:111122223333:key/3333abcd-12ab-34cd-56ef-1234567890ab";

const message = new TextEncoder().encode("message");
const signed = { Message: message, SigningAlgorithm: "ECDSA_SHA_256" } as const;

describe("the IAM documents of the AWS KMS page", () => {
  let emulator: KmsEmulator;
  let client: KMSClient;
  let signature: Uint8Array | undefined;
  let blob: Uint8Array | undefined;
  let calls: Record<string, (alias: boolean) => Promise<unknown>>;

  beforeAll(async () => {
    emulator = await startKmsEmulator({
      keys: [
        { id: signingArn ?? "", spec: "ECC_NIST_P256", aliases: ["alias/basil/signing", "alias/other/signing"] },
        { id: dataArn ?? "", spec: "SYMMETRIC_DEFAULT", aliases: ["alias/basil/data", "alias/other/data"] },
        { id: otherArn, spec: "ECC_NIST_P256" },
      ],
    });
    const user = emulator.principals.createUser({ name: "agent" });
    const options = { requestHandler: emulator.requestHandler, region: "us-east-1", maxAttempts: 1 };
    client = new KMSClient({ ...options, credentials: user });
    const root = new KMSClient({ ...options, credentials: emulator.rootCredentials });
    ({ Signature: signature } = await root.send(new SignCommand({ KeyId: signingArn, ...signed })));
    ({ CiphertextBlob: blob } = await root.send(new EncryptCommand({ KeyId: dataArn, Plaintext: message })));
    const signing = (alias: boolean) => (alias ? "alias/basil/signing" : signingArn);
    const data = (alias: boolean) => (alias ? "alias/basil/data" : dataArn);
    calls = {
      "kms:Sign": (alias) => client.send(new SignCommand({ KeyId: signing(alias), ...signed })),
      "kms:Verify": (alias) =>
        client.send(new VerifyCommand({ KeyId: signing(alias), ...signed, Signature: signature })),
      "kms:GetPublicKey": (alias) => client.send(new GetPublicKeyCommand({ KeyId: signing(alias) })),
      "kms:DescribeKey": (alias) => client.send(new DescribeKeyCommand({ KeyId: signing(alias) })),
      "kms:Encrypt": (alias) => client.send(new EncryptCommand({ KeyId: data(alias), Plaintext: message })),
      "kms:Decrypt": (alias) => client.send(new DecryptCommand({ KeyId: data(alias), CiphertextBlob: blob })),
    };
  });

  afterAll(() => emulator.close());

  const runtimeActions: string[] = runtime.Statement[0].Action;
  const outcomeOf = (call: Promise<unknown>) =>
    call.then(
      () => "allowed",
      (error: Error) => error.message,
    );
  const denial = (action: string, resource: string | undefined) =>
    `User: arn:aws:iam::111122223333:user/agent is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;
  const resourceOf = (action: string) => (action.endsWith("crypt") ? dataArn : signingArn);

  it("cover the same six actions as this test", () => {
    expect(Object.keys(calls).sort()).toEqual([...runtimeActions].sort());
  });

  describe("runtime policy", () => {
    it.for(runtimeActions)("allows %s, by key ARN and by alias", async (action) => {
      emulator.principals.setPolicies("agent", [runtime]);
      expect(await outcomeOf(calls[action]!(false))).toBe("allowed");
      expect(await outcomeOf(calls[action]!(true))).toBe("allowed");
    });

    it.for(runtimeActions)("without %s allows the other five only", async (missing) => {
      const [statement] = runtime.Statement;
      const Action = runtimeActions.filter((action) => action !== missing);
      emulator.principals.setPolicies("agent", [{ ...runtime, Statement: [{ ...statement, Action }] }]);
      for (const action of runtimeActions) {
        const expected = action === missing ? denial(action, resourceOf(action)) : "allowed";
        expect(await outcomeOf(calls[action]!(true))).toBe(expected);
      }
    });

    it("allows nothing on a key that it does not name", async () => {
      emulator.principals.setPolicies("agent", [runtime]);
      const call = client.send(new SignCommand({ KeyId: otherArn, ...signed }));
      expect(await outcomeOf(call)).toBe(denial("kms:Sign", otherArn));
    });

    it("does not allow CreateKey", async () => {
      emulator.principals.setPolicies("agent", [runtime]);
      expect(await outcomeOf(client.send(new CreateKeyCommand({})))).toBe(denial("kms:CreateKey", "*"));
    });
  });

  describe("the kms:RequestAlias form", () => {
    const conditioned = {
      ...runtime,
      Statement: [{ ...runtime.Statement[0], Resource: "arn:aws:kms:us-east-1:111122223333:key/*", Condition }],
    };

    it.for(runtimeActions)("allows %s through an alias of the namespace, and not by key ARN", async (action) => {
      emulator.principals.setPolicies("agent", [conditioned]);
      expect(await outcomeOf(calls[action]!(true))).toBe("allowed");
      expect(await outcomeOf(calls[action]!(false))).toBe(denial(action, resourceOf(action)));
    });

    it("allows an alias ARN of the namespace, and no alias outside of it to the same key", async () => {
      emulator.principals.setPolicies("agent", [conditioned]);
      const sign = (KeyId: string) => outcomeOf(client.send(new SignCommand({ KeyId, ...signed })));
      expect(await sign("arn:aws:kms:us-east-1:111122223333:alias/basil/signing")).toBe("allowed");
      expect(await sign("alias/other/signing")).toBe(denial("kms:Sign", signingArn));
    });

    it.for(runtimeActions)("without %s denies it through the alias, too", async (missing) => {
      const [statement] = conditioned.Statement;
      const Action = runtimeActions.filter((action) => action !== missing);
      emulator.principals.setPolicies("agent", [{ ...runtime, Statement: [{ ...statement, Action }] }]);
      expect(await outcomeOf(calls[missing]!(true))).toBe(denial(missing, resourceOf(missing)));
    });
  });

  describe("provisioner policy", () => {
    const alias = (name: string) => client.send(new CreateAliasCommand({ AliasName: name, TargetKeyId: otherArn }));
    const provisioning: Record<string, () => Promise<unknown>> = {
      "kms:CreateKey": () => client.send(new CreateKeyCommand({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" })),
      "kms:CreateAlias": async () => {
        emulator.keys.removeAlias("alias/basil/new");
        return alias("alias/basil/new");
      },
      "kms:GetPublicKey": () => client.send(new GetPublicKeyCommand({ KeyId: otherArn })),
      "kms:DescribeKey": () => client.send(new DescribeKeyCommand({ KeyId: otherArn })),
    };
    const without = (missing: string) => ({
      ...provisioner,
      Statement: provisioner.Statement.map((statement: { Action: string | string[] }) => ({
        ...statement,
        Action: [statement.Action].flat().filter((action) => action !== missing),
      })),
    });

    it.for(Object.keys(provisioning))("allows %s, and denies it once it is taken out", async (action) => {
      emulator.principals.setPolicies("agent", [provisioner]);
      expect(await outcomeOf(provisioning[action]!())).toBe("allowed");
      emulator.principals.setPolicies("agent", [without(action)]);
      expect(await outcomeOf(provisioning[action]!())).toContain(
        `is not authorized to perform: ${action} on resource: `,
      );
    });

    it("names exactly the actions of this test", () => {
      const named = provisioner.Statement.flatMap(({ Action }: { Action: string | string[] }) => Action);
      expect(named.sort()).toEqual(Object.keys(provisioning).sort());
    });

    it("denies an alias outside the namespace, and names the alias", async () => {
      emulator.principals.setPolicies("agent", [provisioner]);
      const arn = "arn:aws:kms:us-east-1:111122223333:alias/custom/new";
      expect(await outcomeOf(alias("alias/custom/new"))).toBe(denial("kms:CreateAlias", arn));
    });

    it("needs CreateAlias on the key as well, and names the key", async () => {
      const [, statement] = provisioner.Statement;
      const Resource = statement.Resource.slice(0, 1);
      emulator.principals.setPolicies("agent", [{ ...provisioner, Statement: [{ ...statement, Resource }] }]);
      expect(await outcomeOf(alias("alias/basil/newer"))).toBe(denial("kms:CreateAlias", otherArn));
    });

    it.for(["kms:Sign", "kms:Verify", "kms:Encrypt", "kms:Decrypt"])("does not allow %s", async (action) => {
      emulator.principals.setPolicies("agent", [provisioner]);
      expect(await outcomeOf(calls[action]!(true))).toBe(denial(action, resourceOf(action)));
    });
  });
});
