import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seed } from "../stack.js";
import { typed } from "./typed.js";

const uid = process.getuid?.() ?? 0;
const POLICY = {
  schemaVersion: 2,
  subjects: { web: { allOf: [{ kind: "unix", uid }] } },
  rules: [{ id: "web-signs", subjects: ["web"], action: ["op:sign"], target: ["jwt.**"] }],
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-doctor-e2e-"));
  await writeFile(join(folder, "catalog.json"), await seed.text("catalog.json"), { mode: 0o644 });
  await writeFile(join(folder, "policy.json"), JSON.stringify(POLICY), { mode: 0o644 });
  await writeFile(join(folder, "pass"), "correct horse\n", { mode: 0o600 });
  await writeFile(
    join(folder, "agent.toml"),
    'catalog = "catalog.json"\npolicy = "policy.json"\nbundle = "creds.sealed"\nsocket = "agent.sock"\n[unlock]\nunlock-passphrase-file = "pass"\n',
    { mode: 0o644 },
  );
  const create =
    "basil bundle create creds.sealed --slot passphrase:file=pass --backend id=kms,type=aws-kms,region=us-east-1";
  expect(await typed(create, { cwd: folder })).toMatchObject({ exitCode: 0 });
});
afterAll(() => rm(folder, { recursive: true }));

interface Report {
  schema_version: number;
  checks: { name: string; status: string; detail: string; remediation: string }[];
  summary: Record<string, unknown>;
}

describe("basil doctor", () => {
  it("is content with a whole deployment", async () => {
    const { exitCode, stdout, stderr } = await typed("basil doctor -c agent.toml", { cwd: folder });
    expect(stderr).toBe("");
    expect(stdout).toContain("[OK   ] feature_compatibility: backend kinds installed: aws-kms\n");
    expect(stdout).toMatch(/summary: 13 ok, 0 warn, 0 fatal\nresult: OK\n$/);
    expect(exitCode).toBe(0);
  });

  it("exits 1 for a warning only under --strict", async () => {
    const line = "basil doctor -c agent.toml --bundle creds.sealed --socket /tmp/agent-of-doctor-test.sock";
    expect(await typed(line, { cwd: folder })).toMatchObject({ exitCode: 0 });
    expect(await typed(`${line} --strict`, { cwd: folder })).toMatchObject({ exitCode: 1 });
  });

  it.for([
    ["nothing is given", "basil doctor --json"],
    ["the configuration is not there", "basil doctor --json -c absent.toml"],
    ["the configuration is refused", "basil doctor --json -c policy.json"],
    ["the catalog is not there", "basil doctor --json -c agent.toml --catalog absent.json"],
    ["the catalog is no catalog", "basil doctor --json -c agent.toml --catalog agent.toml"],
  ] as const)("--json is one document when %s", async ([what, line]) => {
    const { exitCode, stdout, stderr } = await typed(line, { cwd: folder });
    expect(stderr).toBe("");
    expect(exitCode).toBe(1);
    const report = JSON.parse(stdout) as Report;
    expect(report.schema_version).toBe(2);
    expect(Object.keys(report)).toEqual(["schema_version", "checks", "summary"]);
    expect(report.summary).toMatchObject({ total: report.checks.length, blocking: true });
    const names = report.checks.map(({ name }) => name);
    if (what.startsWith("the configuration")) expect(names).toEqual(["configuration"]);
    else expect(names).toContain("feature_compatibility");
    for (const check of report.checks) {
      expect(Object.keys(check)).toEqual(["name", "status", "detail", "remediation"]);
      if (check.status !== "ok") expect(check.remediation).not.toBe("");
    }
  });
});

describe("basil explain", () => {
  it("says which rule allows", async () => {
    const line = "basil explain -c agent.toml --subject web --op sign --key jwt.signing.primary";
    const { exitCode, stdout, stderr } = await typed(line, { cwd: folder });
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    expect(stdout).toBe(
      "ALLOW  subject web  sign  jwt.signing.primary  (via subject:web)\n  subject web, rule web-signs, action op:sign, target jwt.**\n",
    );
  });

  it("says why not, and exits 0 unless it is asked to say it by its exit code", async () => {
    const line = "basil explain -c agent.toml --subject web --op verify --key jwt.signing.primary";
    const { exitCode, stdout } = await typed(line, { cwd: folder });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^DENY {3}subject web {2}verify {2}jwt\.signing\.primary {2}\(not_permitted\)\n/);
    expect(await typed(`${line} --exit-code`, { cwd: folder })).toMatchObject({ exitCode: 1 });
  });

  it("prints JSON and nothing else under --json", async () => {
    const allow = await typed("basil explain -c agent.toml --subject web --op sign --key jwt.signing.primary --json", {
      cwd: folder,
    });
    expect(JSON.parse(allow.stdout)).toEqual({
      subject: "web",
      op: "sign",
      key: "jwt.signing.primary",
      decision: "allow",
      via: "subject:web",
      matched_rule: { rule: "web-signs", via: "subject:web", subject: "web", action: "op:sign", target: "jwt.**" },
    });
    const all = await typed("basil explain -c agent.toml --subject web --effective --json", { cwd: folder });
    expect(JSON.parse(all.stdout)).toEqual({
      subject: "web",
      effective: [{ key: "jwt.signing.primary", op: "sign", via: "subject:web", rule: "web-signs" }],
    });
  });
});
