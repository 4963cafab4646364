import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  cases,
  catalog,
  policy,
  refusedCatalog,
  refusedCatalogPointers,
  refusedPolicy,
  refusedPolicyPointers,
} from "./documents.js";
import { Shell } from "./shell.js";

let shell: Shell;
beforeAll(async () => {
  shell = await Shell.open({
    "catalog.json": catalog,
    "policy.json": policy,
    "cases.json": cases,
    "no.json": '{"schemaVersion": 1,\n  "backends": }',
    "latin.json": Uint8Array.from([0x7b, 0xe9, 0x7d]),
    "refused-catalog.json": refusedCatalog,
    "refused-policy.json": refusedPolicy,
    "refused-cases.json": {
      cases: [
        { op: "sing", key: "k", expect: "deny" },
        { uid: 1, key: "k" },
      ],
    },
    "bad.toml": "polcy = 'x'\n",
  });
});
afterAll(() => shell[Symbol.asyncDispose]());

const env = { BASIL_CATALOG: "catalog.json", BASIL_POLICY: "policy.json" };
/** What each command needs to succeed. */
const COMMANDS = {
  "catalog check": "basil catalog check",
  "policy lint": "basil policy lint",
  "policy test": "basil policy test cases.json",
  "policy diff": "basil policy diff policy.json policy.json",
  "policy who-can": "basil policy who-can sign app.signer",
} as const;
const commands = Object.values(COMMANDS);
const askOnlyTheCatalog: readonly string[] = [COMMANDS["catalog check"], COMMANDS["policy diff"]];
const askAPolicy = commands.filter((line) => !askOnlyTheCatalog.includes(line));

/** Standard output is empty; standard error says what happened and what to do, and shows no stack. */
async function expectRefused(line: string, exitCode: number, ...what: string[]): Promise<void> {
  const answer = await shell.type(line, env);
  expect(answer.stdout).toBe("");
  for (const part of what) expect(answer.stderr).toContain(part);
  expect(answer.stderr).toMatch(/^error: .+\n(?: {2}.+\n)*hint: .+\n$/);
  expect(answer.stderr).not.toContain("    at ");
  expect(answer.exitCode).toBe(exitCode);
}

describe.for(commands)("%s", (line) => {
  it("--help shows usage, flags and examples", async () => {
    const { exitCode, stdout, stderr } = await shell.type(`${line} --help`);
    const name = line.split(" ").slice(0, 3).join(" ");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain(`Usage: ${name} `);
    expect(stdout).toContain("--json");
    expect(stdout.split(`\n  $ ${name} `).length).toBeGreaterThan(2);
  });

  it("refuses an unknown flag with 2", () => expectRefused(`${line} --nope`, 2, "unknown option '--nope'"));

  it("names a catalog that is not there", () =>
    expectRefused(`${line} --catalog none.json`, 1, "the catalog", "none.json cannot be read: there is no such file"));

  it("lists every refusal of a catalog with its pointer, and with --json as data too", async () => {
    const { exitCode, stdout, stderr } = await shell.type(`${line} --catalog refused-catalog.json --json`, env);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error: the catalog .+refused-catalog\.json is refused\n(?: {2}\/.+\n){4}hint: .+\n$/);
    for (const pointer of refusedCatalogPointers) expect(stderr).toContain(`  ${pointer}: `);
    expect(stderr).toContain('no backend of this kind is known; found "aws-kmss"');
    expect(stderr).toContain('did you mean "aws-kms"?');
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      ok: false,
      document: `${shell.folder}/refused-catalog.json`,
      truncated: false,
    });
    expect(report.refusals.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual(refusedCatalogPointers);
    expect(Object.keys(report.refusals[0])).toEqual(["code", "pointer", "message", "found", "allowed", "suggestion"]);
  });
});

describe.for(askAPolicy)("%s", (line) => {
  it("names a policy that is not there", () =>
    expectRefused(`${line} --policy none.json`, 1, "the policy", "none.json cannot be read: there is no such file"));

  it("lists every refusal of a policy with its pointer", () =>
    expectRefused(
      `${line} --policy refused-policy.json`,
      1,
      "refused-policy.json is refused",
      ...refusedPolicyPointers.map((pointer) => `  ${pointer}: `),
      'did you mean "op:sign"?',
    ));
});

describe("documents that are not named", () => {
  it.for([
    [COMMANDS["catalog check"], "no catalog is named", "--catalog FILE, set BASIL_CATALOG"],
    [COMMANDS["policy lint"], "no catalog is named", "--catalog FILE"],
    [`${COMMANDS["policy lint"]} --catalog catalog.json`, "no policy is named", "--policy FILE, set BASIL_POLICY"],
    [COMMANDS["policy diff"], "no catalog is named", "--catalog FILE"],
  ] as const)("%s", async ([line, what, remedy]) => {
    const { exitCode, stdout, stderr } = await shell.type(line);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain(`error: ${what}\nhint: give ${remedy}`);
  });
});

describe("what else a command line can get wrong", () => {
  it.for([
    ["basil catalog check --capability-policy lax", 2, "Allowed choices are strict, degraded, off."],
    ["basil catalog check --catalog latin.json", 1, "not valid UTF-8"],
    ["basil catalog check --catalog refused-catalog.json", 1, "  /backends/kms/kind: no backend of this kind is known"],
    ["basil catalog check --catalog no.json", 1, "line 2, column 15"],
    ["basil catalog check one-more", 2, "too many arguments"],
    ["basil policy lint -c bad.toml", 1, "polcy is not a key of this file; did you mean policy?"],
    ["basil catalog check --catalog .", 1, "it is a directory"],
    ["basil policy test", 2, "missing required argument 'cases'"],
    ["basil policy test none.json", 1, "the table of cases none.json cannot be read: there is no such file"],
    ["basil policy test no.json", 1, "the table of cases no.json is refused"],
    ["basil policy test refused-cases.json", 1, '  /cases/0/op/0: not allowed here; found "sing"'],
    ["basil policy test refused-cases.json", 1, "  /cases/1/expect: required member is missing"],
    ["basil policy diff policy.json", 2, "missing required argument 'new'"],
    ["basil policy diff none.json policy.json", 1, "the policy none.json cannot be read: there is no such file"],
    ["basil policy diff policy.json refused-policy.json", 1, "  /rules/0/action/0: "],
    ["basil policy diff policy.json catalog.json", 1, "the policy catalog.json is refused"],
    ["basil policy who-can sign", 2, "missing required argument 'key'"],
    ["basil policy who-can sgn app.signer", 2, 'OP is "sgn", which is no operation; did you mean sign?'],
    ["basil policy who-can op:sign app.signer", 2, "allowed: get, list, get_public_key"],
    ["basil policy lnt", 2, "unknown command 'lnt'"],
    ["basil catalog chek", 2, "unknown command 'chek'"],
  ] as const)("%s", ([line, exitCode, what]) => expectRefused(line, exitCode, what));

  it.for(["basil policy", "basil catalog"])("%s alone shows its commands and ends with 2", async (line) => {
    const { exitCode, stdout, stderr } = await shell.type(line);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain(`Usage: ${line} `);
  });
});
