import { describe, expect, it } from "vitest";
import { openAccount } from "./account.js";

const ALIAS = "alias/basil/jwt-signing-primary";
const AEAD = "alias/basil/payload-aead";
const DESCRIBES = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:DescribeKey","Resource":"*"}]}';
const KEYS = [
  { spec: "ECC_NIST_P256", aliases: [ALIAS, `${ALIAS}/v2`, "alias/team/other-name"] },
  { spec: "ECC_NIST_P256", aliases: [`${ALIAS}/v1`] },
  { spec: "SYMMETRIC_DEFAULT", aliases: [AEAD] },
] as const;
const LINE = "basil keys --catalog catalog.json";

interface Report {
  readonly all_aliases: boolean;
  readonly keys: readonly {
    readonly key: string;
    readonly outcome: string;
    readonly reason?: string;
    readonly versions: readonly object[];
  }[];
}
const report = (stdout: string): Report => JSON.parse(stdout) as Report;

describe("basil keys", { timeout: 60_000 }, () => {
  it("shows versions, aliases, ARNs and states, and changes nothing", async () => {
    await using account = await openAccount({ keys: KEYS });
    const [second, first, aead] = account.emulator.keys.list();
    const answer = await account.type(`${LINE} --json`, account.as("operator"));
    expect(answer).toMatchObject({ exitCode: 0, stderr: "" });
    const signing = { state: "Enabled", key_spec: "ECC_NIST_P256", key_usage: "SIGN_VERIFY" };
    expect(report(answer.stdout)).toMatchObject({
      all_aliases: true,
      keys: [
        {
          key: "jwt.signing.primary",
          backend: "kms",
          key_type: "ecdsa-p256",
          path: ALIAS,
          outcome: "present",
          versions: [
            { version: 1, current: false, arn: first?.arn, ...signing, aliases: [`${ALIAS}/v1`] },
            {
              version: 2,
              current: true,
              arn: second?.arn,
              ...signing,
              aliases: [ALIAS, `${ALIAS}/v2`, "alias/team/other-name"],
            },
          ],
        },
        {
          key: "payload.aead",
          outcome: "present",
          versions: [{ version: 1, current: true, arn: aead?.arn, aliases: [AEAD] }],
        },
      ],
    });
    const operations = account.emulator.calls.map(({ operation }) => operation);
    expect(new Set(operations)).toEqual(new Set(["DescribeKey", "ListAliases"]));
  });

  it("prints a line for each version, tab-separated when no terminal reads", async () => {
    await using account = await openAccount({ keys: KEYS });
    const { stdout } = await account.type(LINE, account.as("operator"));
    const [second, first] = account.emulator.keys.list();
    expect(stdout.split("\n").slice(0, 3)).toEqual([
      "NAME\tKEY TYPE\tVERSION\tCURRENT\tSTATE\tALIASES\tARN",
      `jwt.signing.primary\tecdsa-p256\t1\t\tEnabled\t${ALIAS}/v1\t${first?.arn}`,
      `jwt.signing.primary\tecdsa-p256\t2\tyes\tEnabled\t${ALIAS} ${ALIAS}/v2 alias/team/other-name\t${second?.arn}`,
    ]);
  });

  it("does with DescribeKey alone, asks ListAliases once, and says what is left out", async () => {
    await using account = await openAccount({ keys: KEYS });
    const answer = await account.type(`${LINE} --json`, account.as("provisioner", DESCRIBES));
    expect(answer).toMatchObject({ exitCode: 0 });
    const { all_aliases, keys } = report(answer.stdout);
    expect(all_aliases).toBe(false);
    expect(keys[0]?.versions).toMatchObject([{ aliases: [`${ALIAS}/v1`] }, { aliases: [ALIAS, `${ALIAS}/v2`] }]);
    expect(account.emulator.calls.filter(({ operation }) => operation === "ListAliases")).toHaveLength(1);
    const table = await account.type(LINE, account.as("again", DESCRIBES));
    expect(table.stderr).toContain("kms:ListAliases is denied to this identity");
  });

  it("shows keys that cannot serve, with the reason, and ends with 1", async () => {
    await using account = await openAccount({
      keys: [
        { spec: "ECC_NIST_P384", aliases: [ALIAS] },
        { spec: "SYMMETRIC_DEFAULT", aliases: [AEAD], state: "PendingDeletion" },
      ],
    });
    const answer = await account.type(`${LINE} --json`, account.as("operator"));
    expect(answer.exitCode).toBe(1);
    expect(report(answer.stdout).keys).toMatchObject([
      { outcome: "unusable", reason: expect.stringContaining("KeySpec is ECC_NIST_P384") },
      {
        outcome: "unusable",
        reason: expect.stringContaining("PendingDeletion"),
        versions: [{ deleted_at: expect.any(String) }],
      },
    ]);
  });

  it("shows keys that are absent, and keys that it may not see, and ends with 1", async () => {
    await using account = await openAccount({ keys: KEYS.slice(2) });
    const aead = account.emulator.keys.list()[0]?.arn;
    const policy = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"${aead}"}}`;
    const absent = await account.type(LINE, account.as("operator"));
    expect(absent.exitCode).toBe(1);
    expect(absent.stdout).toContain(`jwt.signing.primary\tecdsa-p256\t-\t\tabsent\t${ALIAS}\t`);
    expect(absent.stderr).toContain('key "jwt.signing.primary" at alias/basil/jwt-signing-primary is absent');
    const denied = await account.type(`${LINE} --key-id payload.aead --json`, account.as("nobody", policy));
    expect(denied.exitCode).toBe(1);
    expect(report(denied.stdout).keys).toMatchObject([
      { outcome: "denied", reason: expect.stringContaining("kms:DescribeKey"), versions: [] },
    ]);
  });

  it("marks a key that the alias was moved to by hand as none of the versions", async () => {
    await using account = await openAccount({ keys: [...KEYS, { spec: "ECC_NIST_P256" }] });
    const moved = account.emulator.keys.list()[3];
    account.emulator.keys.setAlias(ALIAS, moved?.id ?? "");
    const answer = await account.type(`${LINE} --key-id jwt.signing.primary --json`, account.as("operator"));
    expect(report(answer.stdout).keys[0]?.versions.at(-1)).toMatchObject({
      version: null,
      current: true,
      arn: moved?.arn,
    });
    expect(report(answer.stdout).keys).toHaveLength(1);
  });

  it("takes keys by ARN, by id and by logical name, and says when an ARN is of another region", async () => {
    await using account = await openAccount({ keys: KEYS.slice(2) });
    const { arn = "", id = "" } = account.emulator.keys.list()[0] ?? {};
    for (const path of [arn, id, arn.replace("us-east-1", "eu-central-1")]) {
      await account.write("catalog.json", catalogOf(path));
      const answer = await account.type(`${LINE} --json`, account.as(`by-${path.slice(-8)}-${path.length}`));
      const [key] = report(answer.stdout).keys;
      if (path.includes("eu-central-1"))
        expect(key).toMatchObject({ outcome: "unusable", reason: expect.stringContaining("region eu-central-1") });
      else expect(key).toMatchObject({ outcome: "present", versions: [{ version: 1, arn, aliases: [AEAD] }] });
    }
  });

  it("ends with 6 when KMS does not answer or takes no credentials, and with 5 at Ctrl-C", async () => {
    await using account = await openAccount({ keys: KEYS });
    const env = account.as("operator");
    const unreachable = await account.type(LINE, { ...env, AWS_ENDPOINT_URL_KMS: "http://127.0.0.1:1" });
    expect(unreachable).toMatchObject({ exitCode: 6, stdout: "" });
    const refused = await account.type(LINE, { ...env, AWS_SECRET_ACCESS_KEY: "wrong" });
    expect(refused).toMatchObject({ exitCode: 6, stdout: "" });
    account.emulator.faults.add({ fault: { kind: "hang" }, times: Number.POSITIVE_INFINITY });
    const interrupted = await account.type(LINE, env, { onSpawn: (kill) => setTimeout(() => kill("SIGINT"), 1500) });
    expect(interrupted).toMatchObject({ exitCode: 5, stdout: "" });
    for (const { stderr } of [unreachable, refused, interrupted]) expect(stderr).toMatch(/^error: .+\nhint: .+\n$/);
  });

  it("says no more when nobody reads", async () => {
    await using account = await openAccount({ keys: KEYS });
    expect((await account.type(LINE, account.as("operator"), { deaf: true })).stderr).not.toContain("    at ");
  });

  it.for([
    ["--nope", "unknown option '--nope'", 2],
    ["--key-id no.such", '--key-id is "no.such"', 2],
    ["--region Ireland", '"Ireland" is not an AWS region', 2],
    ["--backend id=other,type=aws-kms,region=us-east-1", "no --backend has id=kms", 2],
    ["--catalog absent.json", "absent.json cannot be read: there is no such file", 1],
    ["--catalog .", "cannot be read: it is a directory", 1],
    ["--catalog bad.json", "bad.json is refused", 1],
  ] as const)("keys %s is refused, and KMS is not asked", async ([flags, what, code]) => {
    await using account = await openAccount({ keys: KEYS });
    await account.write("bad.json", "{");
    const answer = await account.type(`${LINE} ${flags}`, account.as("operator"));
    expect(answer.stderr).toContain(what);
    expect(answer).toMatchObject({ exitCode: code, stdout: "" });
    expect(account.emulator.calls).toEqual([]);
  });
});

function catalogOf(path: string) {
  return {
    schemaVersion: 1,
    backends: { kms: { kind: "aws-kms", addr: "aws-kms:us-east-1", engines: ["transit"] } },
    keys: {
      "payload.aead": {
        ...{ class: "symmetric", keyType: "aes-256-gcm", backend: "kms", engine: "transit", path },
        ...{ writable: false, missing: "error", description: "AEAD key" },
      },
    },
  };
}
