import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policyOfMe } from "../policy-of-me.js";
import { SEED_KEYS } from "../seed-keys.js";
import { type RunningAgent, Stack, seed } from "../stack.js";
import { type Answer, type TypeOptions, typed } from "./typed.js";

let stack: Stack;
let agent: RunningAgent;
beforeAll(async () => {
  const { keys, ...rest } = JSON.parse(await seed.text("catalog.json"));
  for (const key of Object.values(keys) as { writable: boolean }[]) key.writable = true;
  stack = await Stack.start({
    catalog: JSON.stringify({ ...rest, keys }),
    policy: policyOfMe(
      { id: "keys", subjects: ["me"], action: ["*"], target: ["jwt.**", "payload.**"] },
      { id: "admin", subjects: ["me"], action: ["op:revoke"], target: ["broker.revoke"] },
    ),
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
const hint = ({ stderr }: Answer) => /^hint: (.*)$/m.exec(stderr)?.[1];

describe("what to do", () => {
  it("names the rotator's job where a backend does not rotate", async () => {
    const answer = await type("basil rotate --key-id jwt.signing.primary");
    expect(answer.exitCode).toBe(1);
    expect(hint(answer)).toContain("'basil provision rotate jwt.signing.primary'");
  });

  it.for([
    ["basil encrypt --key-id jwt.signing.primary text", "correct what is named"],
    ["basil revoke --trust-domain a --jti b --expires-at-unix 1", "correct what is named"],
    ["basil revoke --trust-domain a --jti b --expires-at-unix 9999999999", '"revocation_store=jwt-svid"'],
  ] as const)("fits what %s is refused for", async ([line, what]) => {
    expect(hint(await type(line))).toContain(what);
  });

  it("does not send the table of policy tests to doctor, which does not read it", async () => {
    await writeFile(join(stack.folder, "cases.json"), "");
    const answer = await type("basil policy test cases.json -c agent.toml");
    expect(answer.exitCode).toBe(1);
    expect(hint(answer)).toBe("correct the places named above");
  });
});

describe("basil explain", () => {
  it("tells a person of a subject that the policy does not have, and which one was probably meant", async () => {
    const { exitCode, stdout } = await type("basil explain -c agent.toml --subject mee --op sign --key payload.aead");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("(not_permitted)\n");
    expect(stdout).toContain("the policy has no subject mee; did you mean me?\n");
    const effective = await type("basil explain -c agent.toml --subject nobody --effective");
    expect(effective.stdout).toContain("0 grant(s)\n  the policy has no subject nobody\n");
    const json = await type("basil explain -c agent.toml --subject mee --op sign --key payload.aead --json");
    expect(json.stdout).not.toContain("no subject");
  });
});

describe("basil audit verify", () => {
  it("reads a log from standard input", async () => {
    await type("basil sign --key-id jwt.signing.primary text");
    const { exitCode, stdout } = await type("basil audit verify -", {
      stdin: `${(await stack.audit()).map((line) => JSON.stringify(line)).join("\n")}\n`,
    });
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^ok: \d+ lines\n/) });
  });

  it("says that a file without one whole line may be no audit log", async () => {
    await appendFile(join(stack.folder, "torn"), "x");
    expect(await type("basil audit verify torn")).toMatchObject({
      exitCode: 0,
      stdout: "ok: 0 lines\nafter the last whole line: 1 byte\n",
      stderr: "warning: there is not one whole line; is this an audit log?\n",
    });
  });
});
