import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { atTerminal, need } from "../bundle/terminal.js";
import { SEED_KEYS } from "../seed-keys.js";
import { type Account, openAccount } from "./account.js";

const ALIAS = "alias/basil/jwt-signing-primary";
const CREATE = "basil provision --catalog catalog.json";
const ROTATE = "basil provision rotate jwt.signing.primary --catalog catalog.json";
const program = join(import.meta.dirname, "../../packages/cli/bin/basil.js");

/** One sentence says what happened, one what to do; what else stands there are the lines of a plan or the problems. */
const TWO_SENTENCES = /^error: .+\n(?: {2}.+\n)*hint: .+$/m;
const aliases = ({ emulator }: Account) => emulator.keys.list().map((key) => [...key.aliases]);

/** The same line at a terminal of its own. */
const typedAtTerminal = (account: Account, env: Record<string, string>, line: string, answers: readonly string[]) => {
  const words = Object.entries(env).map(([name, value]) => `${name}='${value}'`);
  const whole = `env ${words.join(" ")} '${process.execPath}' '${program}' ${line.replace("basil ", "")}`;
  return atTerminal(account.folder, whole, /\[y\/N\]/, answers);
};

describe("basil provision and basil provision rotate", { timeout: 90_000 }, () => {
  it.for([
    [`${CREATE} --yes`, "provision"],
    [`${ROTATE} --prepare`, "rotate"],
    [`${ROTATE} --commit --yes`, "commit"],
  ] as const)("%s ends with 6 when KMS does not answer, and with 6 when it takes no credentials", async ([line]) => {
    await using account = await openAccount();
    const env = account.as("operator");
    for (const more of [{ AWS_ENDPOINT_URL_KMS: "http://127.0.0.1:1" }, { AWS_SECRET_ACCESS_KEY: "wrong" }]) {
      const answer = await account.type(line, { ...env, ...more });
      expect(answer.stderr).toMatch(TWO_SENTENCES);
      expect(answer).toMatchObject({ exitCode: 6, stdout: "" });
    }
    expect(account.emulator.keys.list()).toEqual([]);
  });

  it.for([`${CREATE} --yes`, `${ROTATE} --prepare`] as const)(
    "%s ends with 5 at Ctrl-C while KMS is silent",
    async (line) => {
      await using account = await openAccount({
        faults: [{ fault: { kind: "hang" }, times: Number.POSITIVE_INFINITY }],
      });
      const answer = await account.type(line, account.as("operator"), {
        onSpawn: (kill) => setTimeout(() => kill("SIGINT"), 2000),
      });
      expect(answer.stderr).toMatch(/^error: /m);
      expect(answer).toMatchObject({ exitCode: 5, stdout: "" });
      expect(account.emulator.keys.list()).toEqual([]);
    },
  );

  it("end with 5 at Ctrl-C in the prompt, having changed nothing", async (context) => {
    need(context, "script");
    await using account = await openAccount();
    const env = account.as("operator");
    const asked = await typedAtTerminal(account, env, CREATE, ["\u0003"]);
    expect(asked.seen).toContain("interrupted; nothing was created");
    expect(asked.status).toBe(5);
    expect(account.emulator.keys.list()).toEqual([]);
    await account.type(`${CREATE} --yes`, env);
    await account.type(`${ROTATE} --prepare`, env);
    const before = aliases(account);
    const moving = await typedAtTerminal(account, env, `${ROTATE} --commit`, ["\u0003"]);
    expect(moving.seen).toContain(`${ALIAS} stays where it is`);
    expect(moving.status).toBe(5);
    expect((await typedAtTerminal(account, env, `${ROTATE} --commit`, ["n"])).status).toBe(1);
    expect(aliases(account)).toEqual(before);
    expect((await typedAtTerminal(account, env, `${ROTATE} --commit`, ["yes"])).status).toBe(0);
    expect(aliases(account)).not.toEqual(before);
  });

  it("do their work when nobody reads the report, and say no more", async () => {
    await using account = await openAccount();
    const answer = await account.type(`${CREATE} --yes`, account.as("operator"), { deaf: true });
    expect(answer.stderr).not.toContain("    at ");
    expect(account.emulator.keys.list()).toHaveLength(2);
    // The report can be had again.
    const again = await account.type(CREATE, account.as("again"));
    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('"created": 0') });
  });

  it("need no broker, and mind none that is not there", async () => {
    await using account = await openAccount();
    const env = { ...account.as("operator"), BASIL_SOCKET: join(account.folder, "no.sock") };
    expect(await account.type(`${CREATE} --dry-run`, env)).toMatchObject({ exitCode: 0 });
  });

  it.for([
    [CREATE.replace("catalog.json", "catalog.json/x"), "a part of the path is not a directory", 1],
    [CREATE.replace("catalog.json", "."), "it is a directory", 1],
    [CREATE.replace("catalog.json", "bad.json"), "bad.json is refused", 1],
    [`${CREATE} --nope`, "unknown option '--nope'", 2],
    [ROTATE.replace("catalog.json", "bad.json"), "bad.json is refused", 1],
    [`${ROTATE} --nope`, "unknown option '--nope'", 2],
    [`${ROTATE} --commit --runtime-policy catalog.json/x`, "a part of the path is not a directory", 1],
    [`${ROTATE} --commit --runtime-policy bad.json`, "it is not JSON", 1],
    [`${ROTATE} --commit --runtime-policy catalog.json`, "Statement: is missing", 1],
    [`${ROTATE} --commit --runtime-policy trust.json`, "Statement.Principal: is there", 1],
  ] as const)("%s is refused, and KMS is not asked", async ([line, what, code]) => {
    await using account = await openAccount({ keys: SEED_KEYS });
    await account.write("bad.json", '{"schemaVersion": 1,');
    await account.write("trust.json", { Statement: { Effect: "Allow", Principal: "*", Action: "sts:AssumeRole" } });
    const answer = await account.type(line, account.as("operator"));
    expect(answer.stderr).toContain(what);
    expect(answer.stderr).toMatch(TWO_SENTENCES);
    expect(answer).toMatchObject({ exitCode: code, stdout: "" });
    expect(account.emulator.calls).toEqual([]);
  });
});
