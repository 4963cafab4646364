import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cases, catalog, policy } from "./documents.js";
import { type Answer, Shell } from "./shell.js";

const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join("");

let shell: Shell;
beforeAll(async () => {
  shell = await Shell.open({
    "catalog.json": catalog,
    "policy.json": policy,
    "cases.json": cases,
    "agent.toml": 'catalog = "catalog.json"\npolicy = "policy.json"\n',
  });
});
afterAll(() => shell[Symbol.asyncDispose]());

/** The documents as an operator names them once for a session. */
const env = { BASIL_CATALOG: "catalog.json", BASIL_POLICY: "policy.json" };
const ended = (exitCode: number, stdout: string): Partial<Answer> => ({ exitCode, stdout, stderr: "" });

describe("basil catalog check", () => {
  const answer = () =>
    lines(
      `${shell.folder}/catalog.json: 2 backends, 2 keys, 0 warnings`,
      "BACKEND\tKIND\tPACKAGE\tKEYS",
      "kms\taws-kms\tinstalled\t1",
      "store\tvault\tnone\t1",
      "capability check (strict) ok: 2 backends checked, 0 undeclared, 0 fatal gaps, 0 tolerated",
      '  backend "store": no plugin for kind "vault" is loaded; only its declaration was checked',
    );

  it.for(["--catalog catalog.json", "-c agent.toml", "--config=agent.toml"])(
    "basil catalog check %s",
    async (flags) => {
      expect(await shell.type(`basil catalog check ${flags}`)).toMatchObject(ended(0, answer()));
    },
  );

  it("takes the flag before the environment, and the environment before the configuration", async () => {
    await shell.write("other.json", { schemaVersion: 1, backends: {}, keys: {} });
    const other = `${shell.folder}/other.json: 0 backends, 0 keys, 0 warnings\n`;
    const { stdout } = await shell.type("basil catalog check -c agent.toml", { BASIL_CATALOG: "other.json" });
    expect(stdout).toContain(other);
    const flag = await shell.type("basil catalog check --catalog other.json", env);
    expect(flag.stdout).toContain(other);
  });

  it("prints the loader's warnings and nothing that a document can forge", async () => {
    const nkey = { ...catalog.keys["app.signer"], keyType: "ed25519-nkey", backend: "nats" };
    await shell.write("forged.json", {
      schemaVersion: 1,
      backends: { nats: { kind: "vault", addr: "" }, "a\u001b[31m\nb\tc": { kind: "vault", addr: "" } },
      keys: { "app.nkey": nkey },
    });
    const { exitCode, stdout, stderr } = await shell.type("basil catalog check --catalog forged.json");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain("2 backends, 1 key, 1 warning\n");
    expect(stdout).toContain("\nwarning: /keys/app.nkey: an ed25519-nkey without a nats_type label");
    expect(stdout).toContain("\na\\u{1b}[31m\\u{a}b\\u{9}c\tvault\tnone\t0\n");
    expect(stdout).not.toContain("\u001b");
  });

  it("--capability-policy decides whether a gap is a refusal", async () => {
    const value = { ...catalog.keys["app.secret"], backend: "kms" };
    await shell.write("gap.json", { ...catalog, keys: { "app.secret": value } });
    const strict = await shell.type("basil catalog check --catalog gap.json");
    expect(strict).toMatchObject({ exitCode: 1, stderr: "" });
    expect(strict.stdout).toContain("capability check (strict) failed: 2 backends checked");
    expect(strict.stdout).toContain('key "app.secret" on backend "kms" (aws-kms): needs engine kv2');
    expect(strict.stdout).toContain("move the key to a backend whose kind has kv2");
    // What the kind cannot do at all stops the agent, so no mode but "off" passes it.
    const unservable = await shell.type("basil catalog check --catalog gap.json --capability-policy degraded");
    expect(unservable).toMatchObject({ exitCode: 1, stderr: "" });
    const [name, key] = Object.entries(catalog.keys).find(([, { backend }]) => backend === "kms") as [string, object];
    await shell.write("undeclared.json", { ...catalog, keys: { [name]: { ...key, missing: "generate" } } });
    const degraded = await shell.type("basil catalog check --catalog undeclared.json --capability-policy degraded");
    expect(degraded).toMatchObject({ exitCode: 0, stderr: "" });
    expect(degraded.stdout).toContain("(aws-kms), tolerated: needs mint key type");
    await shell.write("off.toml", 'catalog = "gap.json"\ncapability-policy = "off"\n');
    const off = await shell.type("basil catalog check -c off.toml");
    expect(off).toMatchObject({ exitCode: 0, stderr: "" });
    expect(off.stdout).toContain("capability check off: nothing was checked");
  });

  it("--json is one document", async () => {
    const { exitCode, stdout, stderr } = await shell.type("basil catalog check --json", env);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      document: `${shell.folder}/catalog.json`,
      backends: [
        { backend: "kms", kind: "aws-kms", package: "installed", keys: 1 },
        { backend: "store", kind: "vault", package: "none", keys: 1 },
      ],
      keys: 2,
      warnings: [],
      capability: { mode: "strict", ok: true, enforced: 2, gaps: [], unloaded: [{ backend: "store", kind: "vault" }] },
    });
  });
});

describe("basil policy lint", () => {
  it.for(["--catalog catalog.json --policy policy.json", "-c agent.toml --strict"])(
    "basil policy lint %s",
    async (flags) => {
      expect(await shell.type(`basil policy lint ${flags}`)).toMatchObject(ended(0, "0 warnings, 0 notices\n"));
    },
  );

  const draft = {
    ...policy,
    roles: { spare: [] },
    rules: [{ id: "r", subjects: ["app", "ops"], action: ["op:sign"], target: ["app.signer", "app.singer"] }],
    config: {},
  };
  const findings = lines(
    "SEVERITY\tCODE\tFINDING",
    'warning\tUnmatchedTarget\t/rules/0/target/1: "app.singer" covers no key of the catalog',
    "notice\tUnusedRole\t/roles/spare: no rule names this role",
    "1 warning, 1 notice",
  );

  it("ends with 0 whatever it finds, and with 1 for a warning when it is --strict", async () => {
    await shell.write("draft.json", draft);
    expect(await shell.type("basil policy lint --policy draft.json", env)).toMatchObject(ended(0, findings));
    expect(await shell.type("basil policy lint --policy draft.json --strict", env)).toMatchObject(ended(1, findings));
    await shell.write("notice.json", { ...draft, rules: policy.rules });
    expect(await shell.type("basil policy lint --policy notice.json --strict", env)).toMatchObject({ exitCode: 0 });
  });

  it("--json has code, severity, pointer and message", async () => {
    await shell.write("draft.json", draft);
    const { exitCode, stdout, stderr } = await shell.type("basil policy lint --policy draft.json --json", env);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({
      findings: [
        {
          code: "UnmatchedTarget",
          severity: "warning",
          pointer: "/rules/0/target/1",
          message: '/rules/0/target/1: "app.singer" covers no key of the catalog',
        },
        {
          code: "UnusedRole",
          severity: "notice",
          pointer: "/roles/spare",
          message: "/roles/spare: no rule names this role",
        },
      ],
      warnings: 1,
      notices: 1,
    });
  });

  it("shows a name out of the document as it is written, and never lets it draw", async () => {
    await shell.write("names.json", {
      ...policy,
      subjects: { ...policy.subjects, both: { allOf: [{ kind: "unix", uid: 1001 }] } },
      config: { names: { users: { 1001: "x\nwarning\tall is well\u001b[2J" } } },
    });
    const { stdout } = await shell.type("basil policy lint --policy names.json", env);
    expect(stdout).toContain("uid x\\u{a}warning\\u{9}all is well\\u{1b}[2J(1001) matches");
  });
});

describe("basil policy test", () => {
  it("basil policy test cases.json", async () => {
    expect(await shell.type("basil policy test cases.json", env)).toMatchObject(
      ended(
        0,
        lines(
          "RESULT\tCASE\tSUBJECT\tOP\tKEY\tANSWER\tPROBLEM",
          "pass\tthe app signs\tapp\tsign\tapp.signer\tallow subject:app [app-signs]\t-",
          "pass\tnobody else\tops\tsign\tapp.signer\tdeny not_permitted\t-",
          "2 passed, 0 failed",
        ),
      ),
    );
  });

  it("ends with 1 when an answer is not as expected", async () => {
    await shell.write("wrong.json", {
      cases: [{ uid: 1001, op: ["sign", "set"], key: "app.signer", expect: "allow" }],
    });
    expect(await shell.type("basil policy test wrong.json", env)).toMatchObject(
      ended(
        1,
        lines(
          "RESULT\tCASE\tSUBJECT\tOP\tKEY\tANSWER\tPROBLEM",
          "pass\tcase 0\tapp\tsign\tapp.signer\tallow subject:app [app-signs]\t-",
          "FAIL\tcase 0\tapp\tset\tapp.signer\tdeny not_writable\tdenied: not_writable",
          "1 passed, 1 failed",
        ),
      ),
    );
    const json = await shell.type("basil policy test wrong.json --json", env);
    expect(json).toMatchObject({ exitCode: 1, stderr: "" });
    expect(JSON.parse(json.stdout)).toMatchObject({
      passed: 1,
      failed: 1,
      results: [
        { name: "case 0", pass: true, got: { subject: "app", op: "sign", decision: "allow" } },
        { pass: false, got: { op: "set", decision: "deny", reason: "not_writable" }, problem: "denied: not_writable" },
      ],
    });
  });

  it("warns of a table that asks nothing", async () => {
    await shell.write("nothing.json", { cases: [] });
    expect(await shell.type("basil policy test nothing.json", env)).toMatchObject({
      exitCode: 0,
      stdout: "0 passed, 0 failed\n",
      stderr: "warning: nothing.json asks nothing\n",
    });
  });
});

describe("basil policy diff", () => {
  const wider = {
    ...policy,
    subjects: { ...policy.subjects, ops: { allOf: [{ kind: "unix", uid: 1003 }] } },
    rules: [
      { id: "renamed", subjects: ["app"], action: ["op:sign", "op:verify"], target: ["app.signer"] },
      { id: "ops-sets", subjects: ["ops"], action: ["op:set"], target: ["app.secret", "later.key"] },
    ],
  };

  it("shows what is gained and lost, and who is who", async () => {
    await shell.write("wider.json", wider);
    const difference = lines(
      "CHANGE\tSUBJECT\tOP\tKEY\tRULE",
      "gained\tapp\tverify\tapp.signer\trenamed",
      "lost\tops\treload\tbroker.reload\tops-sets",
      "gained\tops\tset\tlater.key\t<keys to come>",
      "lost\tops\tset\tbroker.reload\t<keys to come>",
      "WHO\tBEFORE\tAFTER",
      "subject ops\tuid 1002\tuid 1003",
      "uid 1002\tops\tno_subject",
      "uid 1003\tno_subject\tops",
      "1 gained, 1 lost; on keys to come 1 gained, 1 lost; 1 subject and 2 uids changed",
    );
    const { exitCode, stdout, stderr } = await shell.type("basil policy diff policy.json wider.json", env);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toBe(difference);
    const strict = await shell.type("basil policy diff policy.json wider.json --exit-code", env);
    expect(strict).toMatchObject(ended(1, stdout));
  });

  it("--json has the same and a verdict", async () => {
    await shell.write("wider.json", wider);
    const { exitCode, stdout } = await shell.type("basil policy diff policy.json wider.json --json --exit-code", env);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      same: false,
      gained: [{ subject: "app", op: "verify", key: "app.signer", rule: "renamed" }],
      lost: [{ subject: "ops", op: "reload", key: "broker.reload" }],
    });
  });

  it("shows a target that is widened and groups that come from elsewhere, though no key is gained", async () => {
    const groups = { ...policy, subjects: { ...policy.subjects, team: { allOf: [{ kind: "unix", gid: 5 }] } } };
    const [signs, sets] = policy.rules;
    await shell.write("groups.json", groups);
    await shell.write("widened.json", {
      ...groups,
      rules: [{ ...signs, target: ["app.signer", "app.signer.**"] }, sets],
      config: { ...policy.config, memberships: {} },
    });
    expect(await shell.type("basil policy diff groups.json widened.json --exit-code", env)).toMatchObject(
      ended(
        1,
        lines(
          "CHANGE\tSUBJECT\tOP\tKEY\tRULE",
          "gained\tapp\tsign\tapp.signer.**\t<keys to come>",
          "WHO\tBEFORE\tAFTER",
          "groups\tthe kernel\tconfig.memberships",
          "0 gained, 0 lost; on keys to come 1 gained, 0 lost; 0 subjects and 0 uids changed",
        ),
      ),
    );
  });

  it("finds no difference in how a policy is said", async () => {
    await shell.write("said.json", { ...policy, rules: [...policy.rules].reverse() });
    expect(await shell.type("basil policy diff policy.json said.json --exit-code", env)).toMatchObject(
      ended(0, "no difference in authority\n"),
    );
    const { stdout } = await shell.type("basil policy diff policy.json said.json --json", env);
    expect(JSON.parse(stdout)).toMatchObject({ same: true, gained: [], lost: [] });
  });
});

describe("basil policy who-can", () => {
  it("lists subjects, what they match, and the rule", async () => {
    expect(await shell.type("basil policy who-can sign app.signer", env)).toMatchObject(
      ended(0, lines("SUBJECT\tMATCHES\tUIDS\tVIA\tRULE", "app\tuid app(1001)\t1001\tsubject:app\tapp-signs")),
    );
  });

  it("answers for administration", async () => {
    const { stdout } = await shell.type("basil policy who-can reload broker.reload --json", env);
    expect(JSON.parse(stdout)).toEqual({
      op: "reload",
      key: "broker.reload",
      subjects: [
        {
          subject: "ops",
          matches: "uid 1002",
          via: "subject:ops",
          matched_rule: {
            rule: "ops-sets",
            via: "subject:ops",
            subject: "ops",
            action: "op:reload",
            target: "broker.reload",
          },
          uids: [1002],
        },
      ],
    });
  });

  it.for([
    ["verify app.signer", "no rule grants it"],
    ["set app.signer", 'the key says "writable": false, which no rule can overrule'],
    ["sign app.singer", "the catalog has no such key; did you mean app.signer?"],
    ["reload broker.relaod", "the catalog has no such key; did you mean broker.reload?"],
  ] as const)("says why nobody may %s", async ([asked, why]) => {
    expect(await shell.type(`basil policy who-can ${asked}`, env)).toMatchObject(
      ended(0, `nobody may ${asked}: ${why}\n`),
    );
  });
});
