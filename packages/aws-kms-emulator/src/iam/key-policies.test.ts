import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GetKeyPolicyCommand,
  KMSClient,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
  UpdateAliasCommand,
} from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type KmsEmulator, startKmsEmulator } from "../index.js";

const root = "arn:aws:iam::111122223333:root";
const everything = { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "kms:*", Resource: "*" } };
const nothing = { Version: "2012-10-17", Statement: [] };
const statement = (Effect: string, Principal: unknown, Action: unknown = "kms:*", more: object = {}) => ({
  Effect,
  Principal,
  Action,
  Resource: "*",
  ...more,
});
const policy = (...Statement: object[]) => ({ Version: "2012-10-17", Statement });
const toAccount = statement("Allow", { AWS: root });

describe("key policies", () => {
  let emulator: KmsEmulator;
  let clientOf: (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) => KMSClient;
  let user: { arn: string; accessKeyId: string; secretAccessKey: string };

  beforeAll(async () => {
    emulator = await startKmsEmulator();
    user = emulator.principals.createUser({ name: "ann" });
    clientOf = (credentials) =>
      new KMSClient({ requestHandler: emulator.requestHandler, region: "us-east-1", maxAttempts: 1, credentials });
  });

  afterAll(() => emulator.close());

  async function describeUnder(keyPolicy: object, identity: object, credentials = user): Promise<string> {
    emulator.principals.setPolicies("ann", [identity as Record<string, unknown>]);
    const { id } = await emulator.keys.create({ spec: "HMAC_256", policy: keyPolicy as Record<string, unknown> });
    return clientOf(credentials)
      .send(new DescribeKeyCommand({ KeyId: id }))
      .then(
        () => "allowed",
        (error: Error) => error.message.replace(/^.*key\/[0-9a-f-]+ /, ""),
      );
  }

  const explicit = "with an explicit deny in a resource-based policy";
  const noIdentity = "because no identity-based policy allows the kms:DescribeKey action";
  const noResource = "because no resource-based policy allows the kms:DescribeKey action";
  it.for([
    ["the account, and the identity allows", policy(toAccount), everything, "allowed"],
    [
      "the account id alone, and the identity allows",
      policy(statement("Allow", { AWS: "111122223333" })),
      everything,
      "allowed",
    ],
    ["the account, and the identity is silent", policy(toAccount), nothing, noIdentity],
    ["the user", policy(statement("Allow", { AWS: "arn:aws:iam::111122223333:user/ann" })), nothing, "allowed"],
    ["everyone", policy(statement("Allow", "*")), nothing, "allowed"],
    ["another user", policy(statement("Allow", { AWS: "arn:aws:iam::111122223333:user/bob" })), everything, noResource],
    ["another account", policy(statement("Allow", { AWS: "arn:aws:iam::999900001111:root" })), everything, noResource],
    ["an AWS service", policy(statement("Allow", { Service: "ec2.amazonaws.com" })), everything, noResource],
    [
      "the account, and denies everyone but the account and another user",
      policy(
        toAccount,
        statement("Deny", undefined, "kms:*", {
          NotPrincipal: { AWS: [root, "arn:aws:iam::111122223333:user/admin"] },
        }),
      ),
      everything,
      explicit,
    ],
    [
      "the account, and denies everyone but the account and the user",
      policy(
        toAccount,
        statement("Deny", undefined, "kms:*", { NotPrincipal: { AWS: [root, "arn:aws:iam::111122223333:user/ann"] } }),
      ),
      everything,
      "allowed",
    ],
    [
      "the account, and denies everyone but the user without its account",
      policy(
        toAccount,
        statement("Deny", undefined, "kms:*", { NotPrincipal: { AWS: "arn:aws:iam::111122223333:user/ann" } }),
      ),
      everything,
      explicit,
    ],
    ...(
      [
        [{ StringEquals: { "aws:ResourceAccount": "111122223333" } }, explicit],
        [{ StringNotEquals: { "aws:ResourceAccount": "111122223333" } }, "allowed"],
        [{ Bool: { "aws:PrincipalIsAWSService": "false" } }, explicit],
        [{ Bool: { "aws:PrincipalIsAWSService": "true" } }, "allowed"],
        [{ Bool: { "aws:ViaAWSService": "false" } }, explicit],
        [{ StringEquals: { "aws:PrincipalType": "User" } }, explicit],
        [{ Null: { "aws:CalledVia": "true" } }, explicit],
        [{ StringEquals: { "kms:ViaService": "ec2.us-east-1.amazonaws.com" } }, "allowed"],
      ] as const
    ).map(
      ([Condition, expected]) =>
        [
          `the account, and denies on ${JSON.stringify(Condition)}`,
          policy(toAccount, statement("Deny", "*", "kms:*", { Condition })),
          everything,
          expected,
        ] as const,
    ),
    [
      "the account, and denies the user",
      policy(toAccount, statement("Deny", { AWS: "arn:aws:iam::111122223333:user/ann" })),
      everything,
      "with an explicit deny in a resource-based policy",
    ],
    [
      "the account, and the identity denies",
      policy(toAccount),
      {
        Version: "2012-10-17",
        Statement: [everything.Statement, { Effect: "Deny", Action: "kms:Describe*", Resource: "*" }],
      },
      "with an explicit deny in an identity-based policy",
    ],
    [
      "the user, and the identity denies",
      policy(statement("Allow", "*")),
      { Version: "2012-10-17", Statement: { Effect: "Deny", Action: "*", Resource: "*" } },
      "with an explicit deny in an identity-based policy",
    ],
    ["the account for another action", policy(statement("Allow", { AWS: root }, "kms:Sign")), everything, noResource],
    ["the account without a Resource", policy({ ...toAccount, Resource: undefined }), everything, noResource],
    [
      "the account on a condition that holds",
      policy({ ...toAccount, Condition: { StringEquals: { "kms:CallerAccount": "111122223333" } } }),
      everything,
      "allowed",
    ],
    [
      "the account on a condition that does not hold",
      policy({ ...toAccount, Condition: { StringEquals: { "kms:KeySpec": "RSA_2048" } } }),
      everything,
      noResource,
    ],
    [
      "the account by user name",
      policy({ ...toAccount, Condition: { StringLike: { "aws:username": "a*" } } }),
      everything,
      "allowed",
    ],
  ] as const)("that allow %s", async ([, keyPolicy, identity, expected]) => {
    expect(await describeUnder(JSON.parse(JSON.stringify(keyPolicy)), identity)).toBe(expected);
  });

  it("need the caller's identity policy as well across accounts", async () => {
    const stranger = emulator.principals.createUser({
      name: "stranger",
      account: "999900001111",
      policies: [everything],
    });
    const { arn } = await emulator.keys.create({
      spec: "HMAC_256",
      policy: policy(statement("Allow", { AWS: stranger.arn })),
    });
    const { arn: closed } = await emulator.keys.create({ spec: "HMAC_256" });
    const client = clientOf(stranger);
    await client.send(new DescribeKeyCommand({ KeyId: arn }));
    await expect(client.send(new DescribeKeyCommand({ KeyId: closed }))).rejects.toThrow(noResource);
    emulator.principals.setPolicies("stranger", [nothing]);
    await expect(client.send(new DescribeKeyCommand({ KeyId: arn }))).rejects.toThrow(noIdentity);
  });

  it("name a role and cover its sessions", async () => {
    const role = emulator.principals.createRole({ name: "worker" });
    const { id } = await emulator.keys.create({
      spec: "HMAC_256",
      policy: policy(statement("Allow", { AWS: role.arn })),
    });
    const session = emulator.principals.issueSession("worker", { sessionName: "s1" });
    await clientOf(session).send(new DescribeKeyCommand({ KeyId: id }));
    expect(emulator.calls.at(-1)?.principal).toBe("arn:aws:sts::111122223333:assumed-role/worker/s1");
  });

  it("exempt a role session by NotPrincipal only with its account, its role and its own ARN", async () => {
    const role = emulator.principals.createRole({ name: "exempt", policies: [everything] });
    const session = "arn:aws:sts::111122223333:assumed-role/exempt/s1";
    const credentials = emulator.principals.issueSession("exempt", { sessionName: "s1" });
    const under = async (...AWS: string[]) => {
      const deny = { Effect: "Deny", NotPrincipal: { AWS }, Action: "kms:*", Resource: "*" };
      const { id } = await emulator.keys.create({ spec: "HMAC_256", policy: policy(toAccount, deny) });
      return clientOf(credentials)
        .send(new DescribeKeyCommand({ KeyId: id }))
        .then(
          () => "allowed",
          (error: Error) => error.name,
        );
    };
    expect(await under(root, role.arn, session)).toBe("allowed");
    expect(await under(root, role.arn)).toBe("AccessDeniedException");
    expect(await under(root, session)).toBe("AccessDeniedException");
    expect(await under(role.arn, session)).toBe("AccessDeniedException");
  });

  it.for([
    ["not-an-arn"],
    ["arn:aws:iam::111122223333:role/*"],
    ["arn:aws:iam::111122223333:role/absent"],
    ["arn:aws-cn:iam::111122223333:root"],
  ])("that name %s are refused by PutKeyPolicy and CreateKey", async ([AWS]) => {
    const client = clientOf(emulator.rootCredentials);
    const { id: KeyId } = await emulator.keys.create({ spec: "HMAC_256" });
    const Policy = JSON.stringify(policy(toAccount, statement("Allow", { AWS })));
    const invalid = {
      name: "MalformedPolicyDocumentException",
      message: "Policy contains a statement with one or more invalid principals.",
    };
    await expect(client.send(new PutKeyPolicyCommand({ KeyId, Policy }))).rejects.toMatchObject(invalid);
    await expect(client.send(new CreateKeyCommand({ Policy }))).rejects.toMatchObject(invalid);
  });

  it("with a condition key that the engine does not know take it for absent and list it", async () => {
    emulator.clearCalls();
    const Condition = { StringEquals: { "aws:NoSuchKey": "x" } };
    expect(await describeUnder(policy(toAccount, statement("Deny", "*", "kms:*", { Condition })), everything)).toBe(
      "allowed",
    );
    expect(emulator.warnings).toEqual([expect.stringContaining("does not know the condition key aws:NoSuchKey")]);
    expect(emulator.calls.at(-1)?.unknownConditionKeys).toEqual(["aws:NoSuchKey"]);
  });

  it("do not let the root user past a policy that leaves the account out", async () => {
    const { id } = await emulator.keys.create({
      spec: "HMAC_256",
      policy: policy(statement("Allow", { AWS: user.arn })),
    });
    const client = clientOf(emulator.rootCredentials);
    await expect(client.send(new DescribeKeyCommand({ KeyId: id }))).rejects.toThrow(noResource);
  });

  it("are replaced by PutKeyPolicy, which refuses to lock its caller out unless told to", async () => {
    emulator.principals.setPolicies("ann", [everything]);
    const client = clientOf(user);
    const { KeyMetadata: key } = await client.send(new CreateKeyCommand({}));
    const KeyId = key?.KeyId;
    emulator.principals.createUser({ name: "bob" });
    const Policy = JSON.stringify(policy(statement("Allow", { AWS: "arn:aws:iam::111122223333:user/bob" })));
    await expect(client.send(new PutKeyPolicyCommand({ KeyId, Policy }))).rejects.toMatchObject({
      name: "MalformedPolicyDocumentException",
      message: "The new key policy will not allow you to update the key policy in the future.",
    });
    await client.send(new PutKeyPolicyCommand({ KeyId, Policy, BypassPolicyLockoutSafetyCheck: true }));
    await expect(client.send(new GetKeyPolicyCommand({ KeyId }))).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
    await expect(client.send(new CreateKeyCommand({ Policy }))).rejects.toMatchObject({
      name: "MalformedPolicyDocumentException",
    });
  });
});

describe("condition keys of AWS KMS", () => {
  let emulator: KmsEmulator;
  let client: KMSClient;

  beforeAll(async () => {
    emulator = await startKmsEmulator();
    const credentials = emulator.principals.createUser({ name: "ann", tags: { team: "payments" } });
    client = new KMSClient({
      requestHandler: emulator.requestHandler,
      region: "us-east-1",
      maxAttempts: 1,
      credentials,
    });
  });

  afterAll(() => emulator.close());

  const only = (Condition: object, Action = "kms:*") =>
    emulator.principals.setPolicies("ann", [
      { Version: "2012-10-17", Statement: { Effect: "Allow", Action, Resource: "*", Condition } },
    ]);
  const outcome = (call: Promise<unknown>) =>
    call.then(
      () => "allowed",
      (error: Error) => error.name,
    );

  it("see the encryption context by pair and by name", async () => {
    const { id: KeyId } = await emulator.keys.create({ spec: "SYMMETRIC_DEFAULT" });
    const encrypt = (EncryptionContext: Record<string, string>) =>
      outcome(client.send(new EncryptCommand({ KeyId, Plaintext: Uint8Array.of(1), EncryptionContext })));
    only({ StringEquals: { "kms:EncryptionContext:app": "billing" } });
    expect(await encrypt({ app: "billing", more: "x" })).toBe("allowed");
    expect(await encrypt({ app: "shop" })).toBe("AccessDeniedException");
    expect(await encrypt({})).toBe("AccessDeniedException");
    only({ "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": ["app"] } });
    expect(await encrypt({ app: "billing" })).toBe("allowed");
    expect(await encrypt({ app: "billing", more: "x" })).toBe("AccessDeniedException");
    only({ StringEquals: { "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT" } });
    expect(await encrypt({})).toBe("allowed");
  });

  it("see the tags and aliases of the key, and the tags of the caller", async () => {
    const { id: KeyId } = await emulator.keys.create({
      spec: "SYMMETRIC_DEFAULT",
      tags: { Team: "payments" },
      aliases: ["alias/payments/a"],
    });
    const { id: other } = await emulator.keys.create({ spec: "SYMMETRIC_DEFAULT", tags: { Team: "shop" } });
    const see = (id: string) => outcome(client.send(new DescribeKeyCommand({ KeyId: id })));
    for (const condition of [
      { StringEquals: { "aws:ResourceTag/Team": `\${aws:PrincipalTag/team}` } },
      { "ForAnyValue:StringLike": { "kms:ResourceAliases": "alias/payments/*" } },
    ]) {
      only(condition);
      expect(await see(KeyId)).toBe("allowed");
      expect(await see(other)).toBe("AccessDeniedException");
    }
  });

  it("see what CreateKey asks for, tags included", async () => {
    const create = (input: object) => outcome(client.send(new CreateKeyCommand(input)));
    only({ StringEquals: { "kms:KeySpec": "ECC_NIST_P256", "aws:RequestTag/team": "payments" } });
    const good = {
      KeySpec: "ECC_NIST_P256",
      KeyUsage: "SIGN_VERIFY",
      Tags: [{ TagKey: "team", TagValue: "payments" }],
    };
    expect(await create(good)).toBe("allowed");
    expect(await create({ ...good, Tags: [] })).toBe("AccessDeniedException");
    expect(await create({ ...good, KeySpec: "ECC_NIST_P384" })).toBe("AccessDeniedException");
  });

  it("ask for kms:TagResource where CreateKey brings tags", async () => {
    only({}, "kms:CreateKey");
    const call = client.send(new CreateKeyCommand({ Tags: [{ TagKey: "a", TagValue: "b" }] }));
    await expect(call).rejects.toThrow(
      /kms:TagResource because no identity-based policy allows the kms:TagResource action$/,
    );
  });

  it("see the waiting period of a deletion as a number", async () => {
    const { id: KeyId } = await emulator.keys.create({ spec: "SYMMETRIC_DEFAULT" });
    only({ NumericGreaterThanEquals: { "kms:ScheduleKeyDeletionPendingWindowInDays": "14" } });
    const schedule = (PendingWindowInDays: number) =>
      outcome(client.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays })));
    expect(await schedule(7)).toBe("AccessDeniedException");
    expect(await schedule(14)).toBe("allowed");
  });

  it("say nothing on the alias half of an alias operation, and count on each of its keys", async () => {
    const one = await emulator.keys.create({ spec: "ECC_NIST_P256", aliases: ["alias/moving"] });
    const two = await emulator.keys.create({ spec: "ECC_NIST_P256" });
    const allow = (...Resource: string[]) =>
      emulator.principals.setPolicies("ann", [
        { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "kms:UpdateAlias", Resource } },
      ]);
    const move = () => client.send(new UpdateAliasCommand({ AliasName: "alias/moving", TargetKeyId: two.id }));
    const aliasArn = "arn:aws:kms:us-east-1:111122223333:alias/moving";
    for (const [missing, ...rest] of [
      [aliasArn, one.arn, two.arn],
      [one.arn, aliasArn, two.arn],
      [two.arn, aliasArn, one.arn],
    ] as const) {
      allow(...rest);
      await expect(move()).rejects.toThrow(`kms:UpdateAlias on resource: ${missing} because`);
    }
    only({ StringEquals: { "kms:KeySpec": "ECC_NIST_P256" } }, "kms:UpdateAlias");
    await expect(move()).rejects.toThrow(`kms:UpdateAlias on resource: ${aliasArn} because`);
    allow(aliasArn, one.arn, two.arn);
    await move();
  });

  it("answer a Decrypt without KeyId as if the key were not there", async () => {
    const { id: KeyId } = await emulator.keys.create({ spec: "SYMMETRIC_DEFAULT" });
    only({}, "kms:Encrypt");
    const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId, Plaintext: Uint8Array.of(1) }));
    await expect(client.send(new DecryptCommand({ CiphertextBlob }))).rejects.toThrow(
      "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.",
    );
    await expect(client.send(new DecryptCommand({ CiphertextBlob, KeyId }))).rejects.toThrow(
      "kms:Decrypt on resource:",
    );
  });
});
