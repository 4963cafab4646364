import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CallRecord } from "@basil/aws-kms-emulator";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { policyOfMe } from "../policy-of-me.js";
import { Stack } from "../stack.js";
import { typed } from "./typed.js";

const SIGNERS = ["jwt.primary", "jwt.second", "jwt.third"] as const;
const NAMES = [...SIGNERS, "payload.aead"] as const;
const pathOf = (name: string): string => `alias/basil/${name.replace(".", "-")}`;
const CATALOG = {
  schemaVersion: 1,
  backends: { kms: { kind: "aws-kms", addr: "aws-kms:us-east-1", engines: ["transit"] } },
  keys: Object.fromEntries(
    NAMES.map((name) => [
      name,
      {
        ...(name === "payload.aead"
          ? { class: "symmetric", keyType: "aes-256-gcm" }
          : { class: "asymmetric", keyType: "ecdsa-p256" }),
        backend: "kms",
        engine: "transit",
        path: pathOf(name),
        writable: false,
        missing: "error",
        description: name,
      },
    ]),
  ),
};
const POLICY = policyOfMe(
  { id: "signs", subjects: ["me"], action: ["op:sign", "op:verify"], target: ["jwt.**"] },
  { id: "opens", subjects: ["me"], action: ["op:encrypt", "op:decrypt"], target: ["payload.aead"] },
);
/** Without a grant, KMS says of these two that there is none. */
const GRANTS = "not proved: kms:RetireGrant: NotFoundException, kms:RevokeGrant: NotFoundException";
/** The rows that are not ok when nothing could be asked about any key. */
const NOTHING_CHECKED = ["live:kms", ...NAMES.map((name) => `live:${name}`).sort()].map((name) => [name, "fatal"]);
const READING: readonly string[] = ["DescribeKey", "GetPublicKey", "GetCallerIdentity"];

interface Row {
  readonly name: string;
  readonly status: string;
  readonly detail: string;
  readonly remediation: string;
}

let stack: Stack;
/** The very document that `basil iam policy --policy` writes for this deployment. */
let least: string;
let hostIsBehindByMs = 0;
beforeAll(async () => {
  const keys = NAMES.map((name) => ({
    spec: name === "payload.aead" ? ("SYMMETRIC_DEFAULT" as const) : ("ECC_NIST_P256" as const),
    aliases: [pathOf(name)],
  }));
  stack = await Stack.start({
    catalog: JSON.stringify(CATALOG),
    policy: POLICY,
    emulator: { keys, roles: [{ name: "agent" }], now: () => Date.now() + hostIsBehindByMs },
  });
  const written = await stack.basil([
    ...["iam", "policy", "--identity", "runtime"],
    ...["--catalog", join(stack.folder, "catalog.json"), "--policy", join(stack.folder, "policy.json")],
    ...NAMES.flatMap((name) => ["--arn", `${name}=${arnOf(name)}`]),
  ]);
  expect(written).toMatchObject({ code: 0, stderr: "" });
  least = written.stdout;
});
afterAll(() => stack[Symbol.asyncDispose]());
beforeEach(() => {
  allow(least);
  stack.emulator.clearCalls();
});
afterEach(() => {
  for (const { id } of stack.emulator.keys.list()) stack.emulator.keys.setState(id, "Enabled");
  for (const name of NAMES) stack.emulator.keys.setAlias(pathOf(name), ids.get(name) ?? "");
});

const ids = new Map<string, string>();
function keyOf(name: string) {
  const found = stack.emulator.keys.list().find(({ aliases }) => aliases.includes(pathOf(name)));
  if (found === undefined) throw new Error(`no key has ${pathOf(name)}`);
  return found;
}
function arnOf(name: string): string {
  ids.set(name, keyOf(name).id);
  return keyOf(name).arn;
}

function allow(document: string): void {
  stack.emulator.principals.setPolicies("basil-runtime", [document]);
}

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
}

/** The least policy without one action, on one key or on all. */
function allowAllBut(action: string, name?: string): void {
  const document = JSON.parse(least) as { Statement: readonly Statement[] };
  const Statement = document.Statement.flatMap((statement) =>
    [statement.Resource].flat().map((Resource) => ({
      ...statement,
      Sid: undefined,
      Resource,
      Action: [statement.Action]
        .flat()
        .filter((each) => each !== action || (name !== undefined && Resource !== keyOf(name).arn)),
    })),
  );
  allow(JSON.stringify({ ...document, Statement }));
}

interface Told {
  readonly exitCode: number | null;
  readonly rows: readonly Row[];
  /** The rows that are not ok, as name and status. */
  readonly found: readonly (readonly [string, string])[];
}

const line = "basil doctor -c agent.toml --live --json";

/** Types the line; the answer is one document, and nothing but reads and dry runs reached AWS. */
async function doctor({
  more = "",
  env = {},
}: {
  readonly more?: string;
  readonly env?: Readonly<Record<string, string>>;
} = {}): Promise<Told> {
  const before = stack.emulator.keys.list();
  const { exitCode, stdout, stderr } = await typed(`${line} ${more}`, {
    env: { ...stack.env, ...env },
    cwd: stack.folder,
  });
  expect(stderr).toBe("");
  const { checks } = JSON.parse(stdout) as { checks: Row[] };
  const rows = checks.filter(({ name }) => name.startsWith("live"));
  for (const { status, remediation } of rows) expect(remediation === "").toBe(status === "ok");
  expectNothingDone(stack.emulator.calls);
  expect(stack.emulator.keys.list()).toEqual(before);
  const found = rows.filter(({ status }) => status !== "ok").map(({ name, status }) => [name, status] as const);
  return { exitCode, rows, found };
}

function expectNothingDone(calls: readonly CallRecord[]): void {
  for (const { operation, dryRun, status, errorCode } of calls) {
    if (READING.includes(operation)) continue;
    expect({ operation, dryRun }).toEqual({ operation, dryRun: true });
    expect({ operation, status, errorCode }).not.toMatchObject({ status: 200 });
    expect(operation).not.toMatch(/^(?:Update|Delete|Put|Schedule|Enable|Disable|Create(?!Grant$))/);
  }
}

const rowOf = ({ rows }: Told, name: string, status?: string): Row => {
  const row = rows.find((each) => each.name === name && (status === undefined || each.status === status));
  if (row === undefined) throw new Error(`no row ${name} in ${JSON.stringify(rows)}`);
  return row;
};
const statementIn = ({ remediation }: Row): unknown => JSON.parse(remediation.replace(/^[^{]*/, ""));

describe("basil doctor --live", () => {
  it("is quiet on what basil iam policy --policy allows, and shows the identity and each key", async () => {
    const told = await doctor();
    expect(told.exitCode).toBe(0);
    expect(told.rows.map(({ name, status }) => [name, status])).toEqual(
      ["live:kms", ...NAMES.map((name) => `live:${name}`)].map((name) => [name, "ok"]),
    );
    const identity = rowOf(told, "live:kms").detail;
    expect(identity).toContain(
      "arn:aws:iam::111122223333:user/basil-runtime; credentials of the default AWS chain (environment variables); no expiry; region us-east-1; clock in step; ",
    );
    expect(identity).toContain("kms:CreateKey and the alias actions cannot be proved");
    expect(rowOf(told, "live:jwt.primary").detail).toBe(
      `${pathOf("jwt.primary")} is ${arnOf("jwt.primary")}: Enabled, ECC_NIST_P256, SIGN_VERIFY; allowed: kms:DescribeKey, kms:Sign, kms:Verify`,
    );
    const asked = stack.emulator.calls.filter(
      ({ keyId }) => keyId?.includes("payload-aead") || keyId === arnOf("payload.aead"),
    );
    expect(new Set(asked.map(({ operation }) => operation))).toEqual(
      new Set([
        ...["DescribeKey", "Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"],
        ...["GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "CreateGrant", "RetireGrant", "RevokeGrant"],
      ]),
    );
  });

  it("finds a missing DescribeKey, with the statement that gives it", async () => {
    allowAllBut("kms:DescribeKey", "jwt.primary");
    const told = await doctor();
    expect(told).toMatchObject({ exitCode: 1, found: [["live:jwt.primary", "fatal"]] });
    const row = rowOf(told, "live:jwt.primary");
    expect(row.detail).toMatch(/^kms:DescribeKey is denied: .*no identity-based policy allows the kms:DescribeKey/);
    expect(statementIn(row)).toEqual({ Effect: "Allow", Action: "kms:DescribeKey", Resource: arnOf("jwt.primary") });
  });

  it("finds a missing Sign on one key of three, with the statement that gives it", async () => {
    allowAllBut("kms:Sign", "jwt.second");
    const told = await doctor();
    expect(told).toMatchObject({ exitCode: 1, found: [["live:jwt.second", "fatal"]] });
    const row = rowOf(told, "live:jwt.second");
    expect(row.detail).toMatch(/^kms:Sign is denied: .*no identity-based policy allows the kms:Sign action/);
    expect(statementIn(row)).toEqual({ Effect: "Allow", Action: "kms:Sign", Resource: arnOf("jwt.second") });
    allow(JSON.stringify({ ...JSON.parse(least), Statement: [...JSON.parse(least).Statement, statementIn(row)] }));
    expect(await doctor()).toMatchObject({ exitCode: 0, found: [] });
  });

  it("finds a wrong region", async () => {
    await copyFile(join(stack.folder, "creds.sealed"), join(stack.folder, "elsewhere.sealed"));
    const sealing = `basil bundle set-backend elsewhere.sealed --backend id=kms,type=aws-kms,region=eu-west-1 --open passphrase:file=pass`;
    expect(await typed(sealing, { cwd: stack.folder })).toMatchObject({ exitCode: 0 });
    const told = await doctor({ more: "--bundle elsewhere.sealed" });
    expect(told).toMatchObject({ exitCode: 1, found: NOTHING_CHECKED });
    expect(rowOf(told, "live:kms", "fatal")).toMatchObject({
      detail: expect.stringContaining("eu-west-1"),
      remediation: expect.stringContaining("region in the bundle"),
    });
  });

  it.for([
    ["disabled", "Disabled"],
    ["pending deletion", "PendingDeletion"],
  ] as const)("finds a key that is %s", async ([, state]) => {
    stack.emulator.keys.setState(keyOf("jwt.third").id, state);
    const told = await doctor();
    expect(told).toMatchObject({ exitCode: 1, found: [["live:jwt.third", "fatal"]] });
    expect(rowOf(told, "live:jwt.third").detail).toBe(
      `its KeyState is ${state}, it must be Enabled (${arnOf("jwt.third")})`,
    );
  });

  it("finds a key of the wrong spec", async () => {
    const other = JSON.parse(JSON.stringify(CATALOG)) as { keys: Record<string, { keyType: string }> };
    Object.assign(other.keys["jwt.second"] ?? {}, { keyType: "ecdsa-p384" });
    await writeFile(join(stack.folder, "p384.json"), JSON.stringify(other));
    const told = await doctor({ more: "--catalog p384.json" });
    expect(told).toMatchObject({ exitCode: 1, found: [["live:jwt.second", "fatal"]] });
    expect(rowOf(told, "live:jwt.second").detail).toContain(
      "its KeySpec is ECC_NIST_P256, ecdsa-p384 needs ECC_NIST_P384",
    );
  });

  it("finds an alias that is missing", async () => {
    stack.emulator.keys.removeAlias(pathOf("jwt.primary"));
    const told = await doctor();
    expect(told).toMatchObject({ exitCode: 1, found: [["live:jwt.primary", "fatal"]] });
    expect(rowOf(told, "live:jwt.primary").detail).toContain(
      `there is no key at ${pathOf("jwt.primary")} in us-east-1`,
    );
  });

  it("finds an alias that was moved away from the versions of its key", async () => {
    const { keys } = stack.emulator;
    keys.setAlias(`${pathOf("jwt.primary")}/v1`, keyOf("jwt.primary").id);
    const everywhere = JSON.parse(least) as { Statement: Statement[] };
    allow(
      JSON.stringify({ ...everywhere, Statement: everywhere.Statement.map((each) => ({ ...each, Resource: "*" })) }),
    );
    expect((await doctor()).found.filter(([name]) => name === "live:jwt.primary")).toEqual([]);
    keys.setAlias(pathOf("jwt.primary"), ids.get("jwt.second") ?? "");
    const told = await doctor();
    keys.removeAlias(`${pathOf("jwt.primary")}/v1`);
    expect(rowOf(told, "live:jwt.primary", "warn")).toMatchObject({
      detail: expect.stringContaining("which is none of its versions: v1 arn:aws:kms:"),
      remediation: expect.stringContaining("move the alias back"),
    });
  });

  it("finds an alias that was moved since the agent last used its key", async () => {
    const old = arnOf("jwt.primary");
    const record = { op: "sign", result: "ok", target_id: "jwt.primary", resource: old };
    const log = join(stack.folder, "audit.jsonl");
    await writeFile(log, `torn line\n${JSON.stringify(record)}\n`);
    expect(await doctor()).toMatchObject({ exitCode: 0, found: [] });
    const stranger = await stack.emulator.keys.create({ spec: "ECC_NIST_P256" });
    stack.emulator.keys.setAlias(pathOf("jwt.primary"), stranger.id);
    const told = await doctor();
    expect(told).toMatchObject({
      exitCode: 1,
      found: [
        ["live:jwt.primary", "fatal"],
        ["live:jwt.primary", "warn"],
      ],
    });
    expect(rowOf(told, "live:jwt.primary", "warn").detail).toBe(
      `${pathOf("jwt.primary")} leads to ${stranger.arn}; when the key was last used it was ${old}`,
    );
    await writeFile(log, "");
  });

  it("finds expired credentials, and says it once", async () => {
    stack.emulator.principals.setPolicies("agent", [least]);
    const session = stack.emulator.principals.issueSession("agent", { sessionName: "night", seconds: 1 });
    const env = {
      AWS_ACCESS_KEY_ID: session.accessKeyId,
      AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
      AWS_SESSION_TOKEN: session.sessionToken,
    };
    hostIsBehindByMs = 2000;
    const told = await doctor({ env }).finally(() => {
      hostIsBehindByMs = 0;
    });
    expect(told).toMatchObject({ exitCode: 1, found: NOTHING_CHECKED });
    expect(rowOf(told, "live:kms", "fatal")).toMatchObject({
      detail: expect.stringContaining("ExpiredToken"),
      remediation: expect.stringContaining("renew the credentials"),
    });
    expect(stack.emulator.calls.filter(({ operation }) => operation === "DescribeKey")).toHaveLength(1);
  });

  it.for([
    ["of two minutes is a warning", 120_000, "warn", 0],
    ["of ten minutes too, because the agent corrects its time", 600_000, "warn", 0],
  ] as const)("finds a skewed clock: one %s", async ([, milliseconds, status, exitCode]) => {
    hostIsBehindByMs = milliseconds;
    const told = await doctor().finally(() => {
      hostIsBehindByMs = 0;
    });
    expect(told).toMatchObject({ exitCode, found: [["live:kms", status]] });
    const seconds = Math.round(milliseconds / 1000);
    const row = rowOf(told, "live:kms", status);
    expect(Number(/is (\d+) s behind that of AWS/.exec(row.detail)?.[1])).toBeCloseTo(seconds, -1);
    expect(row.remediation).toContain("NTP");
  });

  it("warns of an over-broad identity, a row for each key, and exits 1 for it under --strict", async () => {
    allow(JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "kms:*", Resource: "*" }] }));
    const told = await doctor();
    expect(told).toMatchObject({ exitCode: 0, found: NAMES.map((name) => [`live:${name}`, "warn"]) });
    for (const name of SIGNERS) {
      expect(rowOf(told, `live:${name}`)).toMatchObject({
        detail: `kms:GetPublicKey, kms:CreateGrant are allowed, and no rule needs them; ${GRANTS}`,
        remediation: expect.stringContaining(arnOf(name)),
      });
    }
    expect(rowOf(told, "live:payload.aead").detail).toBe(
      `kms:GenerateDataKey, kms:GenerateDataKeyWithoutPlaintext, kms:GenerateDataKeyPair, kms:GenerateDataKeyPairWithoutPlaintext, kms:ReEncryptFrom, kms:ReEncryptTo, kms:CreateGrant are allowed, and no rule needs them; ${GRANTS}`,
    );
    expect(await doctor({ more: "--strict" })).toMatchObject({ exitCode: 1 });
  });

  it("tells an explicit deny from a permission that is not given", async () => {
    const deny = { Effect: "Deny", Action: "kms:Sign", Resource: arnOf("jwt.primary") };
    allow(JSON.stringify({ ...JSON.parse(least), Statement: [...JSON.parse(least).Statement, deny] }));
    const told = await doctor();
    expect(rowOf(told, "live:jwt.primary")).toMatchObject({
      detail: expect.stringContaining("with an explicit deny in an identity-based policy"),
      remediation: expect.stringMatching(/^some policy denies it explicitly, and no Allow helps/),
    });
  });

  it("goes on where STS cannot be reached, and says so", async () => {
    const told = await doctor({ env: { AWS_ENDPOINT_URL_STS: "http://127.0.0.1:1" } });
    expect(told).toMatchObject({ exitCode: 0, found: [] });
    // What nobody needs was denied, and a denial names who was.
    expect(rowOf(told, "live:kms").detail).toMatch(/^arn:aws:iam::111122223333:user\/basil-runtime;/);
    allow(JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "kms:*", Resource: "*" }] }));
    const broad = await doctor({ env: { AWS_ENDPOINT_URL_STS: "http://127.0.0.1:1" } });
    expect(rowOf(broad, "live:kms").detail).toMatch(/^the ARN is not known: STS said .*ECONNREFUSED/);
  });

  it("has a fatal row for the backend and each key where the endpoint refuses connections", async () => {
    const told = await doctor({ env: { AWS_ENDPOINT_URL_KMS: "http://127.0.0.1:1" } });
    expect(told).toMatchObject({ exitCode: 1, found: NOTHING_CHECKED });
    expect(rowOf(told, "live:kms", "fatal").detail).toContain("ECONNREFUSED");
    expect(JSON.stringify(told)).not.toMatch(/undefined|NaN|\[object/);
  });

  it("says that there are no credentials, and asks AWS nothing", async () => {
    const told = await doctor({ env: { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" } });
    expect(told).toMatchObject({ exitCode: 1, found: NOTHING_CHECKED });
    expect(stack.emulator.calls).toEqual([]);
  });

  it("is a row of its own when the bundle does not open", async () => {
    const told = await doctor({ more: "--bundle absent.sealed" });
    expect(told).toMatchObject({ exitCode: 1, found: [["live", "fatal"]] });
  });

  it("ends at Ctrl-C, without a document", async () => {
    stack.emulator.faults.add({ operation: "DescribeKey", fault: { kind: "hang" } });
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    let kill: (signal: NodeJS.Signals) => void = () => {};
    const running = typed(line, {
      env: stack.env,
      cwd: stack.folder,
      onSpawn: (to) => {
        kill = to;
      },
    });
    const watch = setInterval(() => {
      if (stack.emulator.calls.some(({ operation }) => operation === "DescribeKey")) resolve();
    }, 20);
    await asked;
    clearInterval(watch);
    kill("SIGINT");
    const { exitCode, stdout, stderr } = await running;
    stack.emulator.faults.clear();
    expect(stderr).toContain("error: interrupted; nothing was changed");
    expect([exitCode, stdout]).toEqual([5, ""]);
  });

  it("leaves bundle, sidecar and passphrase as they were", async () => {
    const read = () =>
      Promise.all(
        ["creds.sealed", "creds.sealed.epoch", "pass"].map((name) =>
          readFile(join(stack.folder, name)).catch(() => null),
        ),
      );
    const before = await read();
    await doctor();
    expect(await read()).toEqual(before);
  });
});
