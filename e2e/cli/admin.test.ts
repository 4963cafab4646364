import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SEED_KEYS } from "../seed-keys.js";
import { type RunningAgent, Stack, seed } from "../stack.js";
import { type Answer, type TypeOptions, typed } from "./typed.js";

const uid = process.getuid?.() ?? 0;
const admin = (rules: readonly unknown[]) => ({
  schemaVersion: 2,
  subjects: { me: { allOf: [{ kind: "unix", uid }] }, other: { allOf: [{ kind: "unix", uid: uid + 1 }] } },
  rules: [
    {
      id: "admin",
      subjects: ["me"],
      action: ["op:reload", "op:explain", "op:watch"],
      target: ["broker.*"],
    },
    { id: "keys", subjects: ["me"], action: ["*"], target: ["payload.**"] },
    ...rules,
  ],
});
const GRANT = { id: "signs", subjects: ["me"], action: ["op:sign"], target: ["jwt.**"] };

let stack: Stack;
let agent: RunningAgent;
beforeAll(async () => {
  stack = await Stack.start({
    catalog: await seed.text("catalog.json"),
    policy: admin([]),
    emulator: { keys: SEED_KEYS },
  });
  agent = await stack.startAgent();
});
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
});

const type = (line: string, options: TypeOptions = {}): Promise<Answer> =>
  typed(line, { env: stack.env, cwd: stack.folder, ...options });
const writePolicy = (policy: unknown) => writeFile(join(stack.folder, "policy.json"), JSON.stringify(policy));
const generation = async () => JSON.parse((await type("basil ready --json")).stdout).generation as number;
const sign = async () => (await type("basil sign --key-id jwt.signing.primary text")).exitCode;

describe("basil reload", () => {
  it("says what would happen, then does it", async () => {
    expect(await sign()).toBe(4);
    await writePolicy(admin([GRANT]));
    const check = await type("basil reload --check");
    expect(check).toMatchObject({ exitCode: 0, stderr: "" });
    expect(check.stdout).toBe(
      "check: the documents would be taken\nprevious_generation: 1\nwould_be_generation: 2\nkey_count: 2\ngrant_count: 21\n",
    );
    expect(await sign()).toBe(4);
    const { exitCode, stdout } = await type("basil reload");
    expect(exitCode).toBe(0);
    expect(stdout).toBe("applied: true\nprevious_generation: 1\nnew_generation: 2\nkey_count: 2\ngrant_count: 21\n");
    expect(await sign()).toBe(0);
  });

  it("exits 1 when the documents are refused, and what was served is served on", async () => {
    await writePolicy({ schemaVersion: 2, colour: "green" });
    const { exitCode, stdout } = await type("basil reload --json");
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      applied: false,
      checked: false,
      previous_generation: 2,
      new_generation: 2,
      key_count: 0,
      grant_count: 0,
      rejection: { reason: "validation_failed", message: expect.stringContaining("colour") },
    });
    expect(await sign()).toBe(0);
    expect((await type("basil reload")).stdout).toMatch(/^rejected: validation_failed: /);
  });

  it("is what SIGHUP does, which also opens the audit log again", async () => {
    await writePolicy(admin([]));
    const audit = join(stack.folder, "audit.jsonl");
    await rename(audit, `${audit}.1`);
    const before = await generation();
    agent.process.kill("SIGHUP");
    for (let tries = 0; tries < 100 && (await generation()) === before; tries++) await sleep(20);
    expect(await sign()).toBe(4);
    for (let tries = 0; tries < 100; tries++) {
      if ((await readFile(audit, "utf8").catch(() => "")).includes('"op":"sign"')) break;
      await sleep(20);
      await sign();
    }
    expect(await readFile(audit, "utf8")).toContain('"op":"sign"');
    expect(agent.log()).toContain("catalog and policy read again");
  });
});

describe("basil explain --live", () => {
  it("answers as the offline form does, from what is served", async () => {
    const asked = "basil explain --subject me --op encrypt --key payload.aead";
    const live = await type(`${asked} --live --json`);
    const offline = await type(`${asked} -c agent.toml --json`);
    expect(live).toMatchObject({ exitCode: 0, stderr: "" });
    expect(JSON.parse(live.stdout)).toEqual(JSON.parse(offline.stdout));
    const denied = await type("basil explain --subject other --op sign --key jwt.signing.primary --live --exit-code");
    expect(denied.exitCode).toBe(1);
    expect(denied.stdout).toMatch(/^DENY {3}subject other {2}sign {2}jwt\.signing\.primary {2}\(not_permitted\)\n/);
  });

  it("contradicts --effective", async () => {
    expect(await type("basil explain --subject me --effective --live")).toMatchObject({ exitCode: 2 });
  });
});

describe("basil watch", () => {
  it("runs until Ctrl-C, and ends with 0", async () => {
    const watching = await type("basil watch --kind key_rotated", {
      onSpawn: (kill) => setTimeout(() => kill("SIGINT"), 1500),
    });
    expect(watching).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
  });

  it("refuses a kind there is not", async () => {
    const { exitCode, stderr } = await type("basil watch --kind nothing");
    expect(exitCode).toBe(2);
    expect(stderr).toContain("key_rotated, bundle_changed, revoked");
  });
});

describe("what a backend does not offer", () => {
  it.for([
    "basil get --key-id payload.aead",
    "basil set --key-id payload.aead value",
    "basil rotate --key-id payload.aead",
  ])("%s ends with an error of the broker, not with a crash", async (line) => {
    const { exitCode, stdout, stderr } = await type(line);
    expect([1, 4]).toContain(exitCode);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^error: .*\((INVALID_REQUEST|UNSUPPORTED|UNAUTHORIZED)\)\nhint: /);
  });

  it("basil mint-jwt and revoke check what they are given", async () => {
    const claims = await type("basil mint-jwt --key-id jwt.signing.primary --sub me --claims-json []");
    expect(claims).toMatchObject({ exitCode: 2 });
    const ttl = await type("basil mint-jwt --key-id jwt.signing.primary --sub me --ttl-secs soon");
    expect(ttl).toMatchObject({ exitCode: 2 });
    const revoked = await type("basil revoke --trust-domain example.org --jti 1 --expires-at-unix 4102444800");
    expect(revoked.exitCode).toBe(4);
  });

  it("basil mint-jwt mints with a key of the catalog when a rule says mint", async () => {
    await writePolicy(admin([{ id: "mints", subjects: ["me"], action: ["op:mint"], target: ["jwt.**"] }]));
    expect(await type("basil reload")).toMatchObject({ exitCode: 0 });
    const { exitCode, stdout, stderr } = await type(
      'basil mint-jwt --key-id jwt.signing.primary --sub web --ttl-secs 300 --claims-json {"team":"green"}',
    );
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ey[\w-]+\.ey[\w-]+\.[\w-]+\nexpires_at: \d+\n$/);
    const payload = JSON.parse(Buffer.from(stdout.split(".")[1] ?? "", "base64url").toString());
    expect(payload).toMatchObject({ sub: "web", team: "green" });
    const stdin = '{"team":"blue"}';
    const read = await type("basil mint-jwt --key-id jwt.signing.primary --sub web --claims-file -", { stdin });
    expect(read).toMatchObject({ exitCode: 0, stderr: "" });
    expect(Buffer.from(read.stdout.split(".")[1] ?? "", "base64url").toString()).toContain(stdin.slice(1, -1));
    const twice = "basil mint-jwt --key-id k --sub web --claims-json {} --claims-file -";
    expect(await type(twice)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("given twice") });
  });
});
