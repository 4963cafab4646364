import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { KMSClient, ListKeysCommand } from "@aws-sdk/client-kms";
import { beforeEach, describe, expect, it } from "vitest";
import { type KmsEmulator, startKmsEmulator } from "../index.js";
import { formatAmzDate } from "../sigv4/authenticate.js";
import { canonicalRequest } from "../sigv4/canonical-request.js";
import { deriveSigningKey, sha256Hex, signCanonicalRequest } from "../sigv4/signature.js";

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const issuer = "oidc.example.test/id/CLUSTER";
const providerArn = `arn:aws:iam::111122223333:oidc-provider/${issuer}`;
const serviceAccount = "system:serviceaccount:basil:basil-agent";
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const everything = { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "kms:*", Resource: "*" } };
const workerArn = "arn:aws:iam::111122223333:role/worker";

function jwt(claims: object, key: KeyObject = privateKey, alg = "ES256"): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    iss: `https://${issuer}`,
    sub: serviceAccount,
    aud: "sts.amazonaws.com",
    exp: now + 600,
    ...claims,
  };
  const signed = `${encode({ alg, typ: "JWT" })}.${encode(payload)}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

describe("the Query protocol", () => {
  let emulator: KmsEmulator;

  beforeEach(async () => {
    emulator = await startKmsEmulator({
      oidcProviders: [{ url: issuer, publicKey: publicKey.export({ format: "jwk" }) }],
      roles: [
        { name: "worker", policies: [everything] },
        {
          name: "pod",
          policies: [everything],
          trust: {
            Version: "2012-10-17",
            Statement: {
              Effect: "Allow",
              Principal: { Federated: providerArn },
              Action: "sts:AssumeRoleWithWebIdentity",
              Condition: {
                StringEquals: { [`${issuer}:sub`]: serviceAccount, [`${issuer}:aud`]: "sts.amazonaws.com" },
              },
            },
          },
        },
      ],
    });
    return () => emulator.close();
  });

  /** The status and text of an action, signed unless there are no credentials. */
  async function call(service: "iam" | "sts", parameters: Record<string, string>, credentials?: Credentials) {
    const Version = service === "iam" ? "2010-05-08" : "2011-06-15";
    const body = Buffer.from(new URLSearchParams({ Version, ...parameters }).toString());
    const time = formatAmzDate(Date.now());
    const scope = { date: time.slice(0, 8), region: "us-east-1", service };
    const headers: Record<string, string> = {
      "content-type": "application/x-www-form-urlencoded; charset=utf-8",
      host: "x",
      "x-amz-date": time,
    };
    if (credentials !== undefined) {
      if (credentials.sessionToken !== undefined) headers["x-amz-security-token"] = credentials.sessionToken;
      const names = Object.keys(headers).sort();
      const wire = {
        method: "POST",
        path: "/",
        query: "",
        headers: new Map(Object.entries(headers)),
        body,
        remoteAddress: "",
      };
      const signature = signCanonicalRequest(
        deriveSigningKey(credentials.secretAccessKey, scope),
        scope,
        time,
        canonicalRequest(wire, names, sha256Hex(body)),
      );
      headers.authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope.date}/us-east-1/${service}/aws4_request, SignedHeaders=${names.join(";")}, Signature=${signature}`;
    }
    const { response } = await emulator.requestHandler.handle({ method: "POST", path: "/", headers, body });
    const text = Buffer.from(response.body).toString();
    const found = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? "";
    return { status: response.statusCode, text, code: found("Code"), message: found("Message"), found };
  }

  describe("sts:AssumeRoleWithWebIdentity", () => {
    const assume = (WebIdentityToken: string, more: object = {}) =>
      call("sts", {
        Action: "AssumeRoleWithWebIdentity",
        RoleArn: "arn:aws:iam::111122223333:role/pod",
        RoleSessionName: "pod-1",
        WebIdentityToken,
        ...more,
      });

    it("takes a token whose signature, issuer, subject and audience are right, and its session works", async () => {
      const answer = await assume(jwt({}));
      expect(answer).toMatchObject({ status: 200 });
      expect(answer.found("Arn")).toBe("arn:aws:sts::111122223333:assumed-role/pod/pod-1");
      expect(answer.found("SubjectFromWebIdentityToken")).toBe(serviceAccount);
      const credentials = {
        accessKeyId: answer.found("AccessKeyId"),
        secretAccessKey: answer.found("SecretAccessKey"),
        sessionToken: answer.found("SessionToken"),
      };
      const client = new KMSClient({
        requestHandler: emulator.requestHandler,
        region: "us-east-1",
        credentials,
        maxAttempts: 1,
      });
      await client.send(new ListKeysCommand({}));
      expect(emulator.calls.at(-1)?.principal).toBe("arn:aws:sts::111122223333:assumed-role/pod/pod-1");
    });

    const other = generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey;
    it.for([
      ["signed with another key", (): string => jwt({}, other), 400, "InvalidIdentityToken"],
      ["with another algorithm in its header", (): string => jwt({}, privateKey, "RS256"), 400, "InvalidIdentityToken"],
      ["without an algorithm", (): string => jwt({}, privateKey, "none"), 400, "InvalidIdentityToken"],
      [
        "of another issuer",
        (): string => jwt({ iss: "https://oidc.example.test/id/OTHER" }),
        400,
        "InvalidIdentityToken",
      ],
      ["for another audience", (): string => jwt({ aud: "other" }), 400, "InvalidIdentityToken"],
      ["of another subject", (): string => jwt({ sub: "system:serviceaccount:basil:other" }), 403, "AccessDenied"],
      ["that has expired", (): string => jwt({ exp: Math.floor(Date.now() / 1000) - 1 }), 403, "ExpiredToken"],
      ["that never expires", (): string => jwt({ exp: undefined }), 400, "InvalidIdentityToken"],
      [
        "that is for later",
        (): string => jwt({ nbf: Math.floor(Date.now() / 1000) + 3600 }),
        400,
        "InvalidIdentityToken",
      ],
      ["that is none", (): string => "not.a.token", 400, "InvalidIdentityToken"],
    ] as const)("refuses a token %s", async ([, token, status, code]) => {
      expect(await assume(token())).toMatchObject({ status, code });
    });

    it("refuses a role that is not there in the words for one that does not trust the token", async () => {
      const answers = [
        await assume(jwt({}), { RoleArn: "arn:aws:iam::111122223333:role/absent" }),
        await assume(jwt({}), { RoleArn: workerArn }),
      ];
      for (const { status, code, message } of answers) {
        expect([status, code, message]).toEqual([
          403,
          "AccessDenied",
          "Not authorized to perform sts:AssumeRoleWithWebIdentity",
        ]);
      }
    });
  });

  describe("sts:AssumeRole", () => {
    const assume = (credentials: Credentials, more: Record<string, string> = {}) =>
      call("sts", { Action: "AssumeRole", RoleArn: workerArn, RoleSessionName: "shift", ...more }, credentials);
    const mayAssume = {
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Action: "sts:AssumeRole", Resource: workerArn },
    };

    it("needs the trust policy and, where that names the account, the caller's identity policy", async () => {
      const ann = emulator.principals.createUser({ name: "ann" });
      expect(await assume(ann)).toMatchObject({
        status: 403,
        code: "AccessDenied",
        message: `User: ${ann.arn} is not authorized to perform: sts:AssumeRole on resource: ${workerArn} because no identity-based policy allows the sts:AssumeRole action`,
      });
      emulator.principals.setPolicies("ann", [mayAssume]);
      expect(await assume(ann)).toMatchObject({ status: 200 });
    });

    it("takes away with a session policy, and gives nothing with it", async () => {
      const ann = emulator.principals.createUser({ name: "ann", policies: [mayAssume] });
      const Policy = JSON.stringify({
        Version: "2012-10-17",
        Statement: { Effect: "Allow", Action: "kms:DescribeKey", Resource: "*" },
      });
      const answer = await assume(ann, { Policy });
      const credentials = {
        accessKeyId: answer.found("AccessKeyId"),
        secretAccessKey: answer.found("SecretAccessKey"),
        sessionToken: answer.found("SessionToken"),
      };
      const client = new KMSClient({
        requestHandler: emulator.requestHandler,
        region: "us-east-1",
        credentials,
        maxAttempts: 1,
      });
      await expect(client.send(new ListKeysCommand({}))).rejects.toThrow(
        "because no session policy allows the kms:ListKeys action",
      );
    });

    it("expires with its duration", async () => {
      let now = Date.now();
      await using timed = await startKmsEmulator({
        now: () => now,
        roles: [{ name: "worker", policies: [everything] }],
      });
      const credentials = timed.principals.issueSession("worker", { seconds: 900 });
      const list = () =>
        new KMSClient({
          requestHandler: timed.requestHandler,
          region: "us-east-1",
          credentials,
          maxAttempts: 1,
          systemClockOffset: now - Date.now(),
        }).send(new ListKeysCommand({}));
      now += 899_000;
      await list();
      now += 1000;
      await expect(list()).rejects.toMatchObject({ name: "ExpiredTokenException" });
    });

    it.for([
      [{ DurationSeconds: "899" }, "ValidationError", "greater than or equal to 900"],
      [{ DurationSeconds: "7200" }, "ValidationError", "MaxSessionDuration"],
      [{ DurationSeconds: "soon" }, "MalformedInput", "not an integer"],
      [{ RoleSessionName: "a b" }, "ValidationError", "roleSessionName"],
      [{ RoleArn: "" }, "ValidationError", "roleArn"],
      [{ Policy: "{" }, "MalformedPolicyDocument", "not JSON"],
    ] as const)("refuses %j", async ([more, code, message]) => {
      const answer = await assume(emulator.rootCredentials, more);
      expect(answer).toMatchObject({ status: 400, code });
      expect(answer.message).toContain(message);
    });
  });

  it("tells callers who they are", async () => {
    const { found } = await call(
      "sts",
      { Action: "GetCallerIdentity" },
      emulator.principals.issueSession("worker", { sessionName: "s" }),
    );
    expect([found("Account"), found("Arn")]).toEqual([
      "111122223333",
      "arn:aws:sts::111122223333:assumed-role/worker/s",
    ]);
  });

  it.for([
    ["no signature", undefined, 403, "MissingAuthenticationToken"],
    ["an unknown key", { accessKeyId: "AKIANOBODY", secretAccessKey: "x" }, 403, "InvalidClientTokenId"],
  ] as const)("refuses a call with %s", async ([, credentials, status, code]) => {
    expect(await call("sts", { Action: "GetCallerIdentity" }, credentials)).toMatchObject({ status, code });
    expect(await call("iam", { Action: "CreateUser", UserName: "x" }, credentials)).toMatchObject({ status, code });
  });

  it("refuses a wrong secret and an action that is not built", async () => {
    const wrong = { ...emulator.rootCredentials, secretAccessKey: "x" };
    expect(await call("sts", { Action: "GetCallerIdentity" }, wrong)).toMatchObject({
      status: 403,
      code: "SignatureDoesNotMatch",
    });
    expect(await call("iam", { Action: "CreateGroup" }, emulator.rootCredentials)).toMatchObject({
      status: 400,
      code: "InvalidAction",
    });
  });

  describe("IAM", () => {
    const iam = (parameters: Record<string, string>, credentials: Credentials = emulator.rootCredentials) =>
      call("iam", parameters, credentials);
    const document = JSON.stringify(everything);

    it("is itself decided by identity policies", async () => {
      const ann = emulator.principals.createUser({ name: "ann" });
      const create = { Action: "CreateUser", UserName: "bob" };
      expect(await iam(create, ann)).toMatchObject({
        status: 403,
        code: "AccessDenied",
        message: `User: ${ann.arn} is not authorized to perform: iam:CreateUser on resource: arn:aws:iam::111122223333:user/bob because no identity-based policy allows the iam:CreateUser action`,
      });
      emulator.principals.setPolicies("ann", [
        {
          Version: "2012-10-17",
          Statement: { Effect: "Allow", Action: "iam:Create*", Resource: "arn:aws:iam::*:user/b*" },
        },
      ]);
      expect(await iam(create, ann)).toMatchObject({ status: 200 });
    });

    it("enforces what it creates from the next call on", async () => {
      await iam({ Action: "CreatePolicy", PolicyName: "All", PolicyDocument: document });
      await iam({ Action: "CreateUser", UserName: "bob" });
      const key = await iam({ Action: "CreateAccessKey", UserName: "bob" });
      const credentials = { accessKeyId: key.found("AccessKeyId"), secretAccessKey: key.found("SecretAccessKey") };
      const list = () =>
        new KMSClient({
          requestHandler: emulator.requestHandler,
          region: "us-east-1",
          credentials,
          maxAttempts: 1,
        }).send(new ListKeysCommand({}));
      await expect(list()).rejects.toMatchObject({ name: "AccessDeniedException" });
      await iam({ Action: "AttachUserPolicy", UserName: "bob", PolicyArn: "arn:aws:iam::111122223333:policy/All" });
      await list();
    });

    it.for([
      [{ Action: "CreateUser", UserName: "a b" }, 400, "ValidationError", "userName"],
      [{ Action: "CreateUser" }, 400, "ValidationError", "userName"],
      [
        { Action: "CreateRole", RoleName: "worker", AssumeRolePolicyDocument: '{"Statement":[]}' },
        409,
        "EntityAlreadyExists",
        "Role with name worker already exists.",
      ],
      [
        { Action: "CreateRole", RoleName: "x", AssumeRolePolicyDocument: document },
        400,
        "MalformedPolicyDocument",
        "Statement",
      ],
      [{ Action: "CreatePolicy", PolicyName: "x", PolicyDocument: "{" }, 400, "MalformedPolicyDocument", "JSON"],
      [
        { Action: "AttachRolePolicy", RoleName: "absent", PolicyArn: "arn:aws:iam::aws:policy/Any" },
        404,
        "NoSuchEntity",
        "The role with name absent cannot be found.",
      ],
      [
        { Action: "AttachRolePolicy", RoleName: "worker", PolicyArn: "arn:aws:iam::aws:policy/Any" },
        404,
        "NoSuchEntity",
        "does not exist or is not attachable.",
      ],
      [
        { Action: "AttachUserPolicy", UserName: "absent", PolicyArn: "arn:aws:iam::aws:policy/Any" },
        404,
        "NoSuchEntity",
        "The user with name absent cannot be found.",
      ],
      [{ Action: "CreateAccessKey", UserName: "absent" }, 404, "NoSuchEntity", "absent"],
      [
        { Action: "AddRoleToInstanceProfile", InstanceProfileName: "absent", RoleName: "worker" },
        404,
        "NoSuchEntity",
        "Instance Profile absent cannot be found.",
      ],
    ] as const)("refuses %j", async ([parameters, status, code, message]) => {
      const answer = await iam(parameters as unknown as Record<string, string>);
      expect(answer).toMatchObject({ status, code });
      expect(answer.message).toContain(message);
    });

    const named = { RoleName: "worker", PolicyName: "list" };
    it("puts inline policies of a role, gives them back as they were, and deletes them", async () => {
      const PolicyDocument = document;
      expect(await iam({ Action: "PutRolePolicy", ...named, PolicyDocument })).toMatchObject({ status: 200 });
      const read = await iam({ Action: "GetRolePolicy", ...named });
      expect(JSON.parse(decodeURIComponent(read.found("PolicyDocument")))).toEqual(everything);
      expect(await iam({ Action: "DeleteRolePolicy", ...named })).toMatchObject({ status: 200 });
      expect(await iam({ Action: "GetRolePolicy", ...named })).toMatchObject({ status: 404, code: "NoSuchEntity" });
      expect(await iam({ Action: "DeleteRolePolicy", ...named })).toMatchObject({ status: 404, code: "NoSuchEntity" });
    });

    it("refuses a malformed one", async () => {
      const answer = await iam({ Action: "PutRolePolicy", ...named, PolicyDocument: "{" });
      expect(answer).toMatchObject({ status: 400, code: "MalformedPolicyDocument" });
    });

    it("deletes a role and an instance profile once nothing holds on to them", async () => {
      emulator.principals.setPolicies("worker", []);
      const profile = { InstanceProfileName: "host" };
      await iam({ Action: "CreateInstanceProfile", ...profile });
      await iam({ Action: "AddRoleToInstanceProfile", ...profile, RoleName: "worker" });
      await iam({ Action: "PutRolePolicy", ...named, PolicyDocument: document });
      const conflict = { status: 409, code: "DeleteConflict" };
      const deleteRole = { Action: "DeleteRole", RoleName: "worker" };
      expect(await iam({ Action: "DeleteInstanceProfile", ...profile })).toMatchObject(conflict);
      expect(await iam(deleteRole)).toMatchObject(conflict);
      await iam({ Action: "DeleteRolePolicy", ...named });
      expect(await iam(deleteRole)).toMatchObject(conflict);
      const remove = { Action: "RemoveRoleFromInstanceProfile", ...profile, RoleName: "worker" };
      expect(await iam(remove)).toMatchObject({ status: 200 });
      expect(await iam(remove)).toMatchObject({ status: 404, code: "NoSuchEntity" });
      expect(await iam(deleteRole)).toMatchObject({ status: 200 });
      expect(await iam(deleteRole)).toMatchObject({ status: 404, code: "NoSuchEntity" });
      expect(await iam({ Action: "DeleteInstanceProfile", ...profile })).toMatchObject({ status: 200 });
    });

    it("gives a user two access keys and an instance profile one role", async () => {
      emulator.principals.createUser({ name: "bob" });
      expect(await iam({ Action: "CreateAccessKey", UserName: "bob" })).toMatchObject({ status: 200 });
      expect(await iam({ Action: "CreateAccessKey", UserName: "bob" })).toMatchObject({
        status: 409,
        code: "LimitExceeded",
      });
      await iam({ Action: "CreateInstanceProfile", InstanceProfileName: "host" });
      const add = { Action: "AddRoleToInstanceProfile", InstanceProfileName: "host", RoleName: "worker" };
      expect(await iam(add)).toMatchObject({ status: 200 });
      expect(await iam(add)).toMatchObject({ status: 409, code: "LimitExceeded" });
    });
  });
});
