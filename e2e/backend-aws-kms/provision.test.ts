import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { atTerminal, need } from "../bundle/terminal.js";
import { seed } from "../stack.js";
import { type Account, openAccount } from "./account.js";

const ALIASES = ["alias/basil/jwt-signing-primary", "alias/basil/payload-aead"];
const FOUR = ["kms:CreateKey", "kms:CreateAlias", "kms:GetPublicKey", "kms:DescribeKey"];

interface Report {
  readonly created: number;
  readonly keys: readonly { readonly key: string; readonly outcome: string; readonly arn?: string; error?: string }[];
}

const report = (stdout: string): Report => JSON.parse(stdout) as Report;
const aliases = ({ emulator }: Account) => emulator.keys.list().flatMap((key) => [...key.aliases]);
const program = join(import.meta.dirname, "../../packages/cli/bin/basil.js");

describe("basil provision", () => {
  it("creates what is absent, as the provisioner of the page, with its four actions, and prints the ARNs", async () => {
    await using account = await openAccount();
    const provisioner = account.as("provisioner", await seed.text("iam-provisioner.json"));
    const answer = await account.type("basil provision --catalog catalog.json --yes", provisioner);
    expect(answer, answer.stderr).toMatchObject({ exitCode: 0 });
    const keys = account.emulator.keys.list();
    expect(keys.map(({ spec, aliases }) => [spec, ...aliases])).toEqual([
      ["ECC_NIST_P256", ALIASES[0]],
      ["SYMMETRIC_DEFAULT", ALIASES[1]],
    ]);
    expect(report(answer.stdout)).toEqual({
      created: 2,
      keys: [
        {
          key: "jwt.signing.primary",
          backend: "kms",
          key_type: "ecdsa-p256",
          path: ALIASES[0],
          outcome: "created",
          arn: keys[0]?.arn,
          version: 1,
        },
        {
          key: "payload.aead",
          backend: "kms",
          key_type: "aes-256-gcm",
          path: ALIASES[1],
          outcome: "created",
          arn: keys[1]?.arn,
          version: 1,
        },
      ],
    });
    expect(answer.stderr).toBe(
      [
        "2 keys to create:",
        `  jwt.signing.primary  ecdsa-p256  ${ALIASES[0]}  on kms`,
        `  payload.aead  aes-256-gcm  ${ALIASES[1]}  on kms`,
        `created jwt.signing.primary as ${keys[0]?.arn}`,
        `created payload.aead as ${keys[1]?.arn}`,
        "",
      ].join("\n"),
    );
    const { calls } = account.emulator;
    expect(new Set(calls.map(({ operation }) => `kms:${operation}`))).toEqual(new Set(FOUR));
    expect(calls.filter(({ decision }) => decision === "deny")).toEqual([]);
    expect(await readFile(join(account.folder, "catalog.json.journal"), "utf8")).toMatch(/"event":"settled"/);
  });

  it("run again creates nothing, asks nobody, and prints the same ARNs", async () => {
    await using account = await openAccount();
    const env = account.as("provisioner");
    const first = await account.type("basil provision --catalog catalog.json --yes", env);
    const again = await account.type("basil provision --catalog catalog.json --json", env);
    expect(again).toMatchObject({ exitCode: 0, stderr: "2 keys there already\n" });
    expect(report(again.stdout).created).toBe(0);
    expect(report(again.stdout).keys.map(({ arn }) => arn)).toEqual(report(first.stdout).keys.map(({ arn }) => arn));
    expect(account.emulator.keys.list()).toHaveLength(2);
  });

  it("creates one key of several, and with --dry-run none", async () => {
    await using account = await openAccount();
    const env = account.as("provisioner");
    const planned = await account.type("basil provision --catalog catalog.json --dry-run", env);
    expect(report(planned.stdout).keys.map(({ outcome }) => outcome)).toEqual(["planned", "planned"]);
    expect(account.emulator.keys.list()).toEqual([]);
    const one = await account.type("basil provision --catalog catalog.json --key-id payload.aead --yes", env);
    expect(report(one.stdout).keys.map(({ key, outcome }) => [key, outcome])).toEqual([["payload.aead", "created"]]);
    expect(aliases(account)).toEqual([ALIASES[1]]);
  });

  it("goes on with the key of a run that was killed before its alias", { timeout: 60_000 }, async () => {
    await using account = await openAccount();
    const env = account.as("provisioner");
    account.emulator.faults.add({ fault: { kind: "hang" }, operation: "CreateAlias" });
    const killed = await account.type("basil provision --catalog catalog.json --key-id payload.aead --yes", env, {
      onSpawn: (kill) => {
        const timer = setInterval(() => {
          if (account.emulator.keys.list().length === 0 || account.emulator.faults.pending.length > 0) return;
          clearInterval(timer);
          kill("SIGKILL");
        }, 5);
      },
    });
    expect(killed.signal).toBe("SIGKILL");
    const [orphan] = account.emulator.keys.list();
    expect(orphan?.aliases).toEqual([]);
    const again = await account.type("basil provision --catalog catalog.json --key-id payload.aead --yes", env);
    expect(report(again.stdout).keys[0]).toMatchObject({ outcome: "created", arn: orphan?.arn });
    expect(account.emulator.keys.list()).toHaveLength(1);
    expect(aliases(account)).toEqual([ALIASES[1]]);
  });

  it("asks at a terminal, and takes only yes for yes", { timeout: 60_000 }, async (context) => {
    need(context, "script");
    await using account = await openAccount();
    const env = Object.entries(account.as("provisioner")).map(([name, value]) => `${name}='${value}'`);
    const line = `env ${env.join(" ")} '${process.execPath}' '${program}' provision --catalog catalog.json`;
    const no = await atTerminal(account.folder, line, /\[y\/N\]/, ["n"]);
    expect(no.status, no.seen).toBe(1);
    expect(no.seen).toContain("not confirmed; nothing was created");
    expect((await atTerminal(account.folder, line, /\[y\/N\]/, ["\u0003"])).status).not.toBe(0);
    expect(account.emulator.keys.list()).toEqual([]);
    const yes = await atTerminal(account.folder, line, /\[y\/N\]/, ["y"]);
    expect(yes.status, yes.seen).toBe(0);
    expect(aliases(account)).toEqual(ALIASES);
  });

  it("creates nothing at all when one key cannot be created, and names each reason", async () => {
    await using account = await openAccount({
      keys: [{ spec: "ECC_NIST_P384", aliases: [ALIASES[0] ?? ""] }],
    });
    const answer = await account.type("basil provision --catalog catalog.json --yes", account.as("provisioner"));
    expect(answer).toMatchObject({ exitCode: 1, stdout: "" });
    expect(answer.stderr).toContain('key "jwt.signing.primary"');
    expect(answer.stderr).toContain("its KeySpec is ECC_NIST_P384");
    expect(account.emulator.keys.list()).toHaveLength(1);
  });

  it("creates no type that mintKeyTypes does not list, and nothing at a path that AWS names", async () => {
    await using account = await openAccount();
    const catalog = (await seed.json("catalog.json")) as {
      backends: { kms: { mintKeyTypes: string[] } };
      keys: Record<string, { path: string }>;
    };
    catalog.backends.kms.mintKeyTypes = ["aes-256-gcm"];
    catalog.keys["payload.aead"]!.path = "2222abcd-12ab-34cd-56ef-1234567890ab";
    await account.write("other.json", catalog);
    const answer = await account.type("basil provision --catalog other.json --yes", account.as("provisioner"));
    expect(answer).toMatchObject({ exitCode: 1, stdout: "" });
    expect(answer.stderr).toContain("mintKeyTypes");
    expect(answer.stderr).toContain("AWS assigns ARNs and key ids");
    expect(account.emulator.keys.list()).toEqual([]);
  });

  it("says which action is missing, what was made, and ends with 1", async () => {
    await using account = await openAccount();
    const policy = (await seed.json("iam-provisioner.json")) as { Statement: { Action: unknown }[] };
    policy.Statement = policy.Statement.filter(({ Action }) => Action !== "kms:CreateAlias");
    const env = account.as("provisioner", JSON.stringify(policy));
    const answer = await account.type("basil provision --catalog catalog.json --yes", env);
    expect(answer.exitCode).toBe(1);
    expect(answer.stderr).toContain("kms:CreateAlias");
    expect(answer.stderr).toContain(account.emulator.keys.list()[0]?.arn);
    expect(report(answer.stdout).keys.map(({ outcome }) => outcome)).toEqual(["failed", "failed"]);
  });

  it("takes --backend as the bundle does, for several backends or more fields", async () => {
    await using account = await openAccount();
    const env = account.as("provisioner");
    const line = "basil provision --catalog catalog.json --yes --backend id=kms,type=aws-kms,region=us-east-1";
    expect(await account.type(`${line},attempt-timeout-ms=4000`, env)).toMatchObject({ exitCode: 0 });
    expect(aliases(account)).toEqual(ALIASES);
  });

  it.for([
    ["--catalog catalog.json", "nobody is there to confirm; nothing was created", 2],
    ["--catalog catalog.json --key-id no.such", '--key-id is "no.such"', 2],
    ["--catalog catalog.json --yes --region Ireland", '--region: "Ireland" is not an AWS region', 2],
    ["--catalog catalog.json --yes --backend id=kms,type=vault,addr=http://x", "allowed: aws-kms", 2],
    ["--catalog catalog.json --yes --backend id=other,type=aws-kms,region=us-east-1", "no --backend has id=kms", 2],
    ["--catalog catalog.json --yes --backend id=kms,type=aws-kms,region=us-east-1,bogus=1", "bogus", 2],
    [
      "--catalog catalog.json --yes --backend id=kms,type=aws-kms,region=us-east-1,verify=maybe",
      '--backend: verify: "maybe": Invalid option: expected one of "kms"|"local"',
      2,
    ],
    ["--catalog absent.json --yes", "absent.json cannot be read", 1],
    ["--catalog catalog.json --bogus", "unknown option '--bogus'", 2],
  ] as const)("provision %s is refused, and nothing is created", async ([flags, what, code]) => {
    await using account = await openAccount();
    const answer = await account.type(`basil provision ${flags}`, account.as("provisioner"));
    expect(answer.stderr).toContain(what);
    expect(answer).toMatchObject({ exitCode: code, stdout: "" });
    expect(account.emulator.keys.list()).toEqual([]);
  });
});
