import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { awsKms } from "./backend.js";
import { awsKmsCredentialSchema } from "./credential.js";
import { awsKmsOptionsOf, awsKmsPlugin } from "./plugin.js";

const parse = (fields: Record<string, string>) => awsKmsCredentialSchema.safeParse(fields);
const refusal = (fields: Record<string, string>) => {
  const { error } = parse(fields);
  return error?.issues.map((issue) =>
    issue.code === "unrecognized_keys" ? `unknown ${issue.keys.join()}` : `${issue.path.join()}: ${issue.message}`,
  );
};

describe("awsKmsCredentialSchema", () => {
  it.for([
    "us-east-1",
    "eu-central-1",
    "ap-southeast-10",
    "us-gov-west-1",
    "cn-north-1",
    "us-iso-east-1",
    "eusc-de-east-1",
  ])("takes region %s", (region) => {
    expect(parse({ region }).success).toBe(true);
  });

  it.for(["", "us-east", "US-EAST-1", "us_east_1", "us-east-1 ", "us-east-1a", "https://kms.us-east-1.amazonaws.com"])(
    'refuses region "%s"',
    (region) => {
      expect(refusal({ region })).toEqual([
        expect.stringContaining(`region: ${JSON.stringify(region)} is not an AWS region`),
      ]);
    },
  );

  it("needs a region and nothing else", () => {
    expect(refusal({})).toEqual([expect.stringMatching(/^region: /)]);
    expect(parse({ region: "us-east-1", profile: "basil-agent" }).success).toBe(true);
  });

  it("names every unknown field", () => {
    expect(refusal({ region: "us-east-1", accessKeyId: "x", secret: "y" })).toEqual(["unknown accessKeyId,secret"]);
  });

  it.for([
    [{ profile: "" }, /^profile/],
    [{ endpoint: "ftp://host" }, /^endpoint: is an http or https URL/],
    [{ endpoint: "kms.local" }, /^endpoint/],
    [{ "role-arn": "role/x" }, /^role-arn: is the ARN of an IAM role/],
    [{ "external-id": "abc" }, /^external-id: needs role-arn/],
    [{ "session-name": "abc" }, /^session-name: needs role-arn/],
    [{ fips: "yes" }, /^fips/],
    [{ fips: "true", endpoint: "http://127.0.0.1:1" }, /^fips: chooses/],
    [{ "dual-stack": "true", endpoint: "http://127.0.0.1:1" }, /^dual-stack: chooses/],
    [{ "max-attempts": "0" }, /^max-attempts: is 1 to 10/],
    [{ "attempt-timeout-ms": "1.5" }, /^attempt-timeout-ms/],
    [{ "attempt-timeout-ms": "20001" }, /^attempt-timeout-ms: is at most 20000/],
    [{ "operation-timeout-ms": "30000" }, /^operation-timeout-ms: is at most 28000/],
    [{ verify: "maybe" }, /^verify/],
    [{ "grace-versions": "-1" }, /^grace-versions/],
    [{ journal: "relative/path" }, /^journal: is an absolute path/],
    [{ tags: "team" }, /^tags/],
    [{ tags: "aws:team:x" }, /^tags/],
  ] as [Record<string, string>, RegExp][])("refuses %o", ([fields, reason]) => {
    expect(refusal({ region: "us-east-1", ...fields })).toEqual([expect.stringMatching(reason)]);
  });
});

/** Values that a field takes, of any length that it takes. */
const RIGHT_VALUES = {
  region: fc.constantFrom("us-east-1", "us-gov-west-1", "cn-north-1"),
  profile: fc.string({ minLength: 1 }),
  "role-arn": fc.constantFrom("arn:aws:iam::111122223333:role/basil", "arn:aws-cn:iam::111122223333:role/a/b"),
  fips: fc.constantFrom("true", "false"),
  "dual-stack": fc.constantFrom("true", "false"),
  "max-attempts": fc.integer({ min: 1, max: 10 }).map(String),
  "connect-timeout-ms": fc.integer({ min: 1, max: 10_000 }).map(String),
  "attempt-timeout-ms": fc.integer({ min: 1, max: 20_000 }).map(String),
  "operation-timeout-ms": fc.integer({ min: 1, max: 28_000 }).map(String),
  verify: fc.constantFrom("kms", "local"),
  "grace-versions": fc.integer({ min: 0, max: 99 }).map(String),
  rotation: fc.constantFrom("true", "false"),
  journal: fc.string().map((name) => `/${name}`),
  tags: fc.constantFrom("team:payments", "team:payments;env:"),
};
const mixed = ([right, any]: [Partial<Record<string, string>>, Record<string, string>]): Record<string, string> =>
  Object.fromEntries([...Object.entries(right), ...Object.entries(any).slice(0, 1)] as [string, string][]);

describe("awsKmsCredentialSchema of any fields", () => {
  it("answers in bounded time, and what it takes opens a backend", async () => {
    const names = [...Object.keys(awsKmsCredentialSchema.shape), "__proto__", "constructor", "x"];
    const values = fc.oneof(fc.string(), fc.constantFrom("true", "1", "local", "a:b;c:d", "us-east-1", "http://h"));
    const any = fc.dictionary(fc.constantFrom(...names), values);
    const right = fc.record(RIGHT_VALUES, { requiredKeys: [] });
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(any, right, fc.tuple(right, any).map(mixed)), async (fields) => {
        const { success, data } = parse({ region: "us-east-1", ...fields });
        if (!success) return;
        await (await awsKmsPlugin.open(data, { id: "kms" }))[Symbol.asyncDispose]();
        if (Object.keys(fields).length > 2) taken += 1;
      }),
      { numRuns: 300 },
    );
    expect(taken).toBeGreaterThan(20);
  });
});

describe("awsKmsPlugin", () => {
  it("opens a backend of its kind with what the credential says, and calls nothing", async () => {
    const credential = awsKmsCredentialSchema.parse({ region: "us-east-1", endpoint: "http://127.0.0.1:1" });
    await using backend = await awsKmsPlugin.open(credential, { id: "kms" });
    expect(backend).toMatchObject({ id: "kms", kind: "aws-kms", capabilities: awsKmsPlugin.capabilities });
    expect(await backend.health({ signal: new AbortController().signal, requestId: "r" })).toEqual({ healthy: true });
  });

  it("reads every field of a credential", () => {
    const fields = {
      region: "us-east-1",
      profile: "p",
      "role-arn": "arn:aws:iam::111122223333:role/basil",
      "external-id": "id",
      "session-name": "agent",
      fips: "true",
      "dual-stack": "false",
      "max-attempts": "5",
      "connect-timeout-ms": "1000",
      "attempt-timeout-ms": "2000",
      "operation-timeout-ms": "9000",
      verify: "local",
      "grace-versions": "2",
      rotation: "true",
      journal: "/var/lib/basil/kms.journal",
      tags: "team:payments;env:",
    };
    expect(awsKmsOptionsOf(awsKmsCredentialSchema.parse(fields))).toEqual({
      region: "us-east-1",
      profile: "p",
      roleArn: "arn:aws:iam::111122223333:role/basil",
      externalId: "id",
      sessionName: "agent",
      fips: true,
      dualStack: false,
      maxAttempts: 5,
      connectTimeoutMs: 1000,
      attemptTimeoutMs: 2000,
      operationTimeoutMs: 9000,
      verify: "local",
      graceVersions: 2,
      rotation: true,
      journalFile: "/var/lib/basil/kms.journal",
      tags: { team: "payments", env: "" },
    });
  });
});

describe("awsKms", () => {
  it.for([
    [{ endpoint: "http://127.0.0.1:1", fips: true }, /endpoint cannot be combined/],
    [{ profile: "p", credentials: { accessKeyId: "a", secretAccessKey: "s" } }, /credentials and profile/],
    [{ externalId: "x" }, /belong to roleArn/],
    [{ maxAttempts: 0 }, /maxAttempts must be a positive integer, found 0/],
    [{ attemptTimeoutMs: Number.NaN }, /attemptTimeoutMs/],
    [{ operationTimeoutMs: 2 ** 31 }, /operationTimeoutMs must be at most 2147483647, found 2147483648/],
    [{ graceVersions: -1 }, /graceVersions/],
  ] as const)("throws a TypeError for %o", ([options, reason]) => {
    expect(() => awsKms({ id: "kms", ...options })).toThrow(TypeError);
    expect(() => awsKms({ id: "kms", ...options })).toThrow(reason);
  });
});
