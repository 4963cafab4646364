import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Stack, seed } from "../stack.js";
import { typed } from "./typed.js";

const uid = process.getuid?.() ?? 0;
const POLICY = {
  schemaVersion: 2,
  subjects: { me: { allOf: [{ kind: "unix", uid }] } },
  rules: [
    { id: "signs", subjects: ["me"], action: ["op:sign", "op:verify", "op:get_public_key"], target: ["jwt.**"] },
    { id: "opens", subjects: ["me"], action: ["op:encrypt", "op:decrypt"], target: ["payload.aead"] },
  ],
};
const KEYS = [
  { spec: "ECC_NIST_P256", aliases: ["alias/basil/jwt-signing-primary"] },
  { spec: "SYMMETRIC_DEFAULT", aliases: ["alias/basil/payload-aead"] },
] as const;

interface Row {
  readonly name: string;
  readonly status: string;
  readonly detail: string;
  readonly remediation: string;
}

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({ catalog: await seed.text("catalog.json"), policy: POLICY, emulator: { keys: KEYS } });
});
afterAll(() => stack[Symbol.asyncDispose]());

const SIX = ["Sign", "Verify", "GetPublicKey", "DescribeKey", "Encrypt", "Decrypt"].map((name) => `kms:${name}`);
function allow(actions: readonly string[]): void {
  const Statement = [{ Effect: "Allow", Action: actions, Resource: "*" }];
  stack.emulator.principals.setPolicies("basil-runtime", [JSON.stringify({ Version: "2012-10-17", Statement })]);
}
beforeEach(() => {
  allow(SIX);
  stack.emulator.clearCalls();
});

const line = `basil doctor -c agent.toml --live --json`;
async function liveRows(more: Record<string, string> = {}): Promise<{ exitCode: number | null; rows: Row[] }> {
  const { exitCode, stdout, stderr } = await typed(line, { env: { ...stack.env, ...more }, cwd: stack.folder });
  expect(stderr).toBe("");
  const { checks } = JSON.parse(stdout) as { checks: Row[] };
  return { exitCode, rows: checks.filter(({ name }) => name.startsWith("live")) };
}

describe("basil doctor --live", () => {
  it("shows the identity and each key, and signs, encrypts and creates nothing", async () => {
    const { exitCode, rows } = await liveRows();
    expect(exitCode).toBe(0);
    expect(rows.map(({ name, status }) => [name, status])).toEqual([
      ["live:kms", "ok"],
      ["live:jwt.signing.primary", "ok"],
      ["live:payload.aead", "ok"],
    ]);
    expect(rows[0]?.detail).toContain(
      "arn:aws:iam::111122223333:user/basil-runtime; credentials of the default AWS chain",
    );
    expect(rows[0]?.detail).toContain("region us-east-1; clock ");
    expect(rows[1]?.detail).toMatch(/: Enabled, ECC_NIST_P256, SIGN_VERIFY; allowed: kms:DescribeKey, kms:Sign,/);
    const done = stack.emulator.calls.filter(({ status }) => status === 200).map(({ operation }) => operation);
    expect(new Set(done)).toEqual(new Set(["DescribeKey", "GetPublicKey"]));
    expect(stack.emulator.keys.list()).toHaveLength(KEYS.length);
  });

  it("names a missing permission with the statement that gives it", async () => {
    allow(SIX.filter((action) => action !== "kms:Sign"));
    const { exitCode, rows } = await liveRows();
    const arn = stack.emulator.keys.list().find(({ aliases }) => aliases.includes(KEYS[0].aliases[0]))?.arn;
    expect(exitCode).toBe(1);
    const row = rows.find(({ status }) => status === "fatal");
    expect(row).toMatchObject({ name: "live:jwt.signing.primary" });
    expect(row?.detail).toMatch(/^kms:Sign is denied: .*no identity-based policy allows/);
    const statement = row?.remediation.replace("add to the identity's policy: ", "") ?? "";
    expect(JSON.parse(statement)).toEqual({ Effect: "Allow", Action: "kms:Sign", Resource: arn });
  });

  it("warns of what no rule needs", async () => {
    allow(["kms:*"]);
    const { exitCode, rows } = await liveRows();
    expect(exitCode).toBe(0);
    expect(rows.filter(({ status }) => status === "warn")).toMatchObject([
      { name: "live:payload.aead", detail: "kms:GenerateDataKey is allowed, and no rule needs it" },
    ]);
  });

  it("says that there are no credentials, and asks KMS nothing", async () => {
    const { exitCode, rows } = await liveRows({ AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" });
    expect(exitCode).toBe(1);
    expect(rows).toMatchObject([{ name: "live:kms", status: "fatal" }]);
    expect(stack.emulator.calls).toEqual([]);
  });

  it("is a row of its own when the bundle does not open", async () => {
    const { exitCode, stdout } = await typed(`${line} --bundle ${join(stack.folder, "absent.sealed")}`, {
      env: stack.env,
      cwd: stack.folder,
    });
    expect(exitCode).toBe(1);
    const { checks } = JSON.parse(stdout) as { checks: Row[] };
    expect(checks.at(-1)).toMatchObject({ name: "live", status: "fatal" });
    expect(checks.at(-1)?.remediation).not.toBe("");
  });
});
