import { access, chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { policyOfMe } from "../policy-of-me.js";
import { SEED_KEYS } from "../seed-keys.js";
import { Stack, seed } from "../stack.js";
import { basil, typed } from "./typed.js";

const policy = policyOfMe({ id: "all", subjects: ["me"], action: ["*"], target: ["jwt.**", "payload.**"] });
const ALL = ["kms:Sign", "kms:Verify", "kms:GetPublicKey", "kms:DescribeKey", "kms:Encrypt", "kms:Decrypt"];
const allow = (actions: readonly string[]) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }],
});

let stack: Stack;
let catalog: string;
beforeAll(async () => {
  catalog = await seed.text("catalog.json");
  stack = await Stack.start({
    catalog,
    policy,
    iamPolicy: allow(ALL),
    emulator: {
      keys: [
        ...SEED_KEYS,
        { spec: "ECC_NIST_P384", aliases: ["alias/basil/p384"] },
        { spec: "ECC_NIST_P256", aliases: ["alias/basil/disabled"], state: "Disabled" },
      ],
    },
  });
});
afterAll(() => stack?.[Symbol.asyncDispose]());
beforeEach(async () => {
  stack.emulator.principals.setPolicies("basil-runtime", [JSON.stringify(allow(ALL))]);
  await writeFile(join(stack.folder, "catalog.json"), catalog);
  await chmod(join(stack.folder, "creds.sealed"), 0o600);
});

const config = () => readFile(join(stack.folder, "agent.toml"), "utf8");

/** The agent with another configuration, to its end. */
async function refused(toml: string): Promise<{ stderr: string; exitCode: number | null }> {
  await writeFile(join(stack.folder, "other.toml"), toml);
  const result = await typed("basil agent -c other.toml", { env: stack.env, cwd: stack.folder });
  await expect(access(stack.socket)).rejects.toMatchObject({ code: "ENOENT" });
  expect(result.stdout).toBe("");
  expect(result.stderr).toMatch(/\nhint: .+\n$|^hint: .+\n$/);
  expect(result.stderr).not.toContain("    at ");
  return result;
}

async function refusedWithCatalog(change: (key: Record<string, unknown>) => void): Promise<string> {
  const document = JSON.parse(catalog);
  change(document.keys["jwt.signing.primary"]);
  await writeFile(join(stack.folder, "catalog.json"), JSON.stringify(document));
  const { exitCode, stderr } = await refused(await config());
  expect(exitCode).toBe(1);
  return stderr;
}

const BAD_SOCKETS = [
  [
    "the socket's folder is not there",
    (toml: string) => toml.replace("basil.sock", "no/basil.sock"),
    "no is not a folder",
  ],
  [
    "the socket's path is too long",
    (toml: string) => toml.replace("basil.sock", `${"x".repeat(120)}.sock`),
    "too long for a socket",
  ],
  [
    "a file is in the socket's place",
    (toml: string) => toml.replace("basil.sock", "catalog.json"),
    "catalog.json exists and is not a socket",
  ],
  [
    "the socket's group is not there",
    (toml: string) => `socket-group = "no-such-group"\n${toml}`,
    'socket: group: this system has no group "no-such-group"',
  ],
  [
    "the metrics socket's folder is not there",
    (toml: string) => `${toml}[metrics]\nsocket = "no/m"\n`,
    "[metrics] socket: ",
  ],
] as const;

describe("basil agent refuses to start, with 1 and without a socket, and names the cause", () => {
  it("kms:DescribeKey is denied", async () => {
    const denied = ALL.filter((action) => action !== "kms:DescribeKey");
    stack.emulator.principals.setPolicies("basil-runtime", [JSON.stringify(allow(denied))]);
    const { exitCode, stderr } = await refused(await config());
    expect(exitCode).toBe(1);
    expect(stderr).toContain("kms:DescribeKey");
    expect(stderr).toContain("arn:aws:kms:us-east-1:111122223333:key/");
    expect(stderr).toContain("no identity-based policy allows");
  });

  it("a key is absent", async () => {
    const stderr = await refusedWithCatalog((key) => Object.assign(key, { path: "alias/basil/absent" }));
    expect(stderr).toContain('key "jwt.signing.primary"');
    expect(stderr).toContain("absent at alias/basil/absent");
  });

  it("a key is disabled", async () => {
    const stderr = await refusedWithCatalog((key) => Object.assign(key, { path: "alias/basil/disabled" }));
    expect(stderr).toContain('key "jwt.signing.primary"');
    expect(stderr).toMatch(/disabled/i);
  });

  it("a key is of another spec", async () => {
    const stderr = await refusedWithCatalog((key) => Object.assign(key, { path: "alias/basil/p384" }));
    expect(stderr).toContain('key "jwt.signing.primary"');
    expect(stderr).toContain("ECC_NIST_P384");
  });

  it("a key may not be generated", async () => {
    const stderr = await refusedWithCatalog((key) =>
      Object.assign(key, { keyType: "ecdsa-p384", missing: "generate", path: "alias/basil/new" }),
    );
    expect(stderr).toContain("jwt.signing.primary");
    expect(stderr).toContain("mintKeyTypes");
  });

  it("the catalog is refused", async () => {
    const stderr = await refusedWithCatalog((key) => Object.assign(key, { colour: "green" }));
    expect(stderr).toContain("/keys/jwt.signing.primary/colour");
  });

  it("a backend has no credential in the bundle", async () => {
    const document = JSON.parse(catalog);
    document.backends.second = document.backends.kms;
    await writeFile(join(stack.folder, "catalog.json"), JSON.stringify(document));
    const { exitCode, stderr } = await refused(await config());
    expect(exitCode).toBe(1);
    expect(stderr).toContain('backend "second"');
    expect(stderr).toContain("basil bundle set-backend");
  });

  it.for([
    [
      "the passphrase is another",
      (toml: string) => toml.replace(/passphrase-file = ".*"/, 'passphrase-file = "wrong"'),
      "opens no slot",
    ],
    [
      "the passphrase file is not there",
      (toml: string) => toml.replace(/passphrase-file = ".*"/, 'passphrase-file = "no"'),
      "no does not exist",
    ],
    ["no unlock method is configured", (toml: string) => toml.slice(0, toml.indexOf("[unlock]")), "no unlock method"],
    [
      "the bundle is not there",
      (toml: string) => toml.replace("creds.sealed", "no.sealed"),
      "no.sealed does not exist",
    ],
    ["no policy is named", (toml: string) => toml.replace(/policy = .*\n/, ""), "no policy is named"],
    ["a feature is not built", (toml: string) => `${toml}[jwks]\nenable = true\n`, "[jwks] enable is switched on"],
    ["the audit log cannot be opened", (toml: string) => toml.replace("audit.jsonl", "no/audit.jsonl"), "audit log"],
    ...BAD_SOCKETS,
  ] as const)("%s", async ([, change, what]) => {
    await writeFile(join(stack.folder, "wrong"), "another passphrase", { mode: 0o600 });
    const toml = change(await config());
    const env = { ...stack.env };
    // The environment goes before the file.
    delete (env as Record<string, string>).BASIL_SOCKET;
    await writeFile(join(stack.folder, "other.toml"), toml);
    const { exitCode, stderr } = await typed("basil agent -c other.toml", { env, cwd: stack.folder });
    expect(stderr).toContain(what);
    expect(exitCode).toBe(1);
    await expect(access(stack.socket)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it.for(BAD_SOCKETS)("%s, before the bundle is opened", async ([, change, what]) => {
    await writeFile(join(stack.folder, "wrong"), "another passphrase", { mode: 0o600 });
    const toml = change(await config()).replace(/passphrase-file = ".*"/, 'passphrase-file = "wrong"');
    const env = { ...stack.env };
    delete (env as Record<string, string>).BASIL_SOCKET;
    await writeFile(join(stack.folder, "other.toml"), toml);
    const { exitCode, stderr } = await typed("basil agent -c other.toml", { env, cwd: stack.folder });
    expect(stderr).toContain(what);
    expect(exitCode).toBe(1);
  });

  it("the bundle is open to others, under strict-bundle-perms", async () => {
    await chmod(join(stack.folder, "creds.sealed"), 0o644);
    const { exitCode, stderr } = await refused(`${await config()}strict-bundle-perms = true\n`);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("creds.sealed has mode 0644");
  });
});

describe("basil doctor --keys", () => {
  const keyRows = async (): Promise<{ name: string; status: string; detail: string; remediation: string }[]> => {
    const { stdout, stderr } = await typed("basil doctor -c agent.toml --keys --json", {
      env: stack.env,
      cwd: stack.folder,
    });
    expect(stderr).toBe("");
    return (JSON.parse(stdout) as { checks: Awaited<ReturnType<typeof keyRows>> }).checks.filter(({ name }) =>
      name.startsWith("key_material"),
    );
  };

  it("is content when every key is there, and calls nothing but DescribeKey", async () => {
    stack.emulator.clearCalls();
    expect(await keyRows()).toEqual([
      { name: "key_material", status: "ok", detail: "2 of 2 keys are there", remediation: "" },
    ]);
    expect(new Set(stack.emulator.calls.map(({ operation }) => operation))).toEqual(new Set(["DescribeKey"]));
    await access(join(stack.folder, "pass"));
  });

  it("names the key that is not as it must be, and what to do", async () => {
    const document = JSON.parse(catalog);
    document.keys["jwt.signing.primary"].path = "alias/basil/disabled";
    document.keys["payload.aead"].path = "alias/basil/absent";
    document.keys["payload.aead"].missing = "warn";
    await writeFile(join(stack.folder, "catalog.json"), JSON.stringify(document));
    const rows = await keyRows();
    expect(rows.map(({ name, status }) => [name, status])).toEqual([
      ["key_material", "fatal"],
      ["key_material:jwt.signing.primary", "fatal"],
      ["key_material:payload.aead", "warn"],
    ]);
    expect(rows.every(({ remediation }) => remediation !== "")).toBe(true);
  });

  it("names the permission that is missing", async () => {
    stack.emulator.principals.setPolicies("basil-runtime", [JSON.stringify(allow(["kms:Sign"]))]);
    const [, row] = await keyRows();
    expect(row).toMatchObject({
      status: "fatal",
      remediation: expect.stringContaining("allow kms:DescribeKey on arn:aws:kms:"),
    });
  });
});

describe("basil agent", () => {
  it("warns of a bundle that is open to others, and serves", async () => {
    await chmod(join(stack.folder, "creds.sealed"), 0o644);
    await using agent = await stack.startAgent();
    expect(agent.log()).toContain("creds.sealed has mode 0644");
  });

  it.for(["SIGTERM", "SIGINT"] as const)("stops on %s with 0, and removes its socket", async (signal) => {
    await using agent = await stack.startAgent();
    expect(await agent.stop(signal)).toMatchObject({ code: 0, stdout: "" });
    await expect(access(stack.socket)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("leaves another agent's socket alone", async () => {
    await using _agent = await stack.startAgent();
    const audit = await readFile(join(stack.folder, "audit.jsonl"), "utf8");
    const { exitCode, stderr } = await basil(["agent", "-c", join(stack.folder, "agent.toml")], { env: stack.env });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("listening");
    expect(await readFile(join(stack.folder, "audit.jsonl"), "utf8")).toBe(audit);
    expect(await typed("basil health", { env: stack.env })).toMatchObject({ exitCode: 0 });
  });

  it("wipes the passphrase file once it serves, when it is told to", async () => {
    const pass = join(stack.folder, "once");
    await writeFile(pass, "correct horse battery staple\n", { mode: 0o600 });
    const toml = (await config())
      .replace(/passphrase-file = ".*"/, 'passphrase-file = "once"')
      .replace("no-wipe = true", "wipe = true");
    await writeFile(join(stack.folder, "wipe.toml"), toml);
    let stop = (): void => {};
    const running = typed("basil agent -c wipe.toml", {
      env: stack.env,
      cwd: stack.folder,
      onSpawn: (kill) => {
        stop = () => kill("SIGTERM");
      },
    });
    expect(await typed("basil ready --wait 20", { env: stack.env })).toMatchObject({ exitCode: 0 });
    stop();
    const ended = await running;
    expect(ended.exitCode, ended.stderr).toBe(0);
    expect(ended.stderr).toContain("the unlock file was wiped");
    await expect(access(pass)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("reads its files from the environment, and flags go before it", async () => {
    const { exitCode, stderr } = await typed("basil agent --catalog flag.json", {
      env: { ...stack.env, BASIL_CONFIG: join(stack.folder, "agent.toml"), BASIL_CATALOG: "variable.json" },
      cwd: stack.folder,
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("flag.json cannot be read");
  });
});
