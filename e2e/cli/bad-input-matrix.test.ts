import { chmod, chown, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { atTerminal, need } from "../bundle/terminal.js";
import { SEED_KEYS } from "../seed-keys.js";
import { type RunningAgent, Stack, seed } from "../stack.js";
import { BAD_INPUT, type BadInputRow, type Never } from "./bad-input-rows.js";
import { commandTree } from "./command-tree.js";
import { type Answer, program, type TypeOptions, typed } from "./typed.js";

const uid = process.getuid?.() ?? 0;
const STRANGER = 64_321;

/** Nobody is a subject of the one, and everybody is of the other. */
let denying: Stack;
let granting: Stack;
const agents: RunningAgent[] = [];
let silent: Server;

beforeAll(async () => {
  const catalog = await seed.text("catalog.json");
  const policy = (who: number): unknown => ({
    schemaVersion: 2,
    subjects: { me: { allOf: [{ kind: "unix", uid: who }] } },
    rules: [
      {
        id: "all",
        subjects: ["me"],
        action: ["sign", "verify", "get_public_key", "encrypt", "decrypt", "list"].map((op) => `op:${op}`),
        target: ["jwt.**", "payload.**"],
      },
      { id: "reload", subjects: ["me"], action: ["op:reload"], target: ["broker.reload"] },
    ],
  });
  [denying, granting] = await Promise.all([
    Stack.start({ catalog, policy: policy(STRANGER), emulator: { keys: SEED_KEYS } }),
    Stack.start({ catalog, policy: policy(uid), emulator: { keys: SEED_KEYS } }),
  ]);
  agents.push(...(await Promise.all([denying.startAgent(), granting.startAgent()])));
  const { folder } = granting;
  const at = (name: string): string => join(folder, name);
  const { keys: entries, ...rest } = JSON.parse(catalog);
  const [entry] = Object.values(entries) as { path: string }[];
  rest.backends.kms.mintKeyTypes = ["ecdsa-p256"];
  await writeFile(
    at("to-make.json"),
    JSON.stringify({ ...rest, keys: { a: { ...entry, path: "alias/basil/to-make" } } }),
  );
  await writeFile(at("bad.json"), '{"schemaVersion": 1,\n', { mode: 0o600 });
  await writeFile(at("bad.toml"), "polcy = 'x'\n");
  const asked = { subject: "me", op: "sign", key: "jwt.signing.primary", expect: "allow" };
  await writeFile(at("cases.json"), JSON.stringify({ cases: [asked] }));
  await writeFile(at("deployed.json"), '{"Version":"2012-10-17","Statement":[]}');
  await writeFile(at("file"), "");
  await writeFile(at("recipient"), `${"A".repeat(43)}\n`);
  await writeFile(at("seed"), new Uint8Array(32).fill(7), { mode: 0o600 });
  await mkdir(at("folder"));
  await writeFile(at("key.pem"), (await type("basil pubkey --key-id jwt.signing.primary")).stdout);
  expect(await type("basil seal payload.aead --file policy.json --out-file sealed")).toMatchObject({ exitCode: 0 });
  silent = createServer(() => {});
  await listen(silent, at("silent.sock"));
}, 120_000);
afterAll(async () => {
  silent?.close();
  for (const agent of agents) await agent[Symbol.asyncDispose]();
  await denying?.[Symbol.asyncDispose]();
  await granting?.[Symbol.asyncDispose]();
});

const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve) => void server.listen(path, () => resolve()));
const type = (line: string, options: TypeOptions = {}): Promise<Answer> =>
  typed(line, { cwd: granting.folder, ...options, env: { ...granting.env, ...faster(), ...options.env } });
/** Hundreds of short processes of one program: what the first has compiled serves the others. */
const faster = () => ({ NODE_COMPILE_CACHE: join(granting.folder, "compiled") });
const atSocket = (path: string) => ({ env: { BASIL_SOCKET: path } });

/** What happened, and what to do; no stack. */
function expectTwoSentences(stderr: string): void {
  expect(stderr).toMatch(/^error: .+\n(?: {2}.+\n)*hint: .+\n$/);
  expect(stderr).not.toContain("    at ");
}

const isNever = (value: unknown): value is Never => typeof value === "object" && value !== null && "never" in value;

/** The lines of a column, those of every command that the case can occur for. */
function lines(column: (row: BadInputRow) => readonly string[] | Never): string[] {
  return Object.entries(BAD_INPUT).flatMap(([command, row]) => {
    const cases = column(row);
    return isNever(cases) ? [] : cases.map((line) => `basil ${command} ${line}`.trimEnd());
  });
}
const whole = (flag: keyof BadInputRow) =>
  lines((row) => {
    const value = row[flag];
    return isNever(value) ? value : [row.line];
  });

describe("the matrix of bad input", () => {
  it("has a row for every command, and a reason for every case that cannot occur", async () => {
    expect(Object.keys(BAD_INPUT).sort()).toEqual((await commandTree()).sort());
    for (const row of Object.values(BAD_INPUT)) {
      for (const value of Object.values(row)) if (isNever(value)) expect(value.never).not.toBe("");
    }
  });
});

describe.concurrent("an unknown flag ends with 2", () => {
  it.for(lines(({ line }) => [`${line.split(" -- ")[0]} --nope`]))("%s", async (line) => {
    const { exitCode, stdout, stderr } = await type(line);
    expect(stderr).toContain("unknown option '--nope'");
    expectTwoSentences(stderr);
    expect(stdout).toBe("");
    expect(exitCode).toBe(2);
  });
});

/** What the results of these say of a file that is none; all others tell it on standard error. */
const FINDINGS: readonly (readonly [command: string, finding: string])[] = [
  ["basil doctor", "\\[FATAL\\].*FILE"],
  ["basil audit verify bad", "line 1: .*\nbroken: "],
];

function expectRefused(line: string, { exitCode, stdout, stderr }: Answer, named: string): void {
  expect(exitCode).toBe(1);
  const [, finding] = FINDINGS.find(([command]) => line.startsWith(command)) ?? [];
  if (finding !== undefined) {
    expect(stdout).toMatch(new RegExp(finding.replace("FILE", named)));
    return;
  }
  expect(stderr).toContain(named);
  expectTwoSentences(stderr);
  expect(stdout).toBe("");
}

describe.concurrent("a file that is not there ends with 1, and is named", () => {
  it.for(lines(({ files }) => files))("%s", async (line) => {
    expectRefused(line, await type(line.replace("FILE", "absent")), "absent");
  });
});

describe.concurrent("a file that cannot be read ends with 1, and is named", () => {
  // What is a folder nobody can read, root included.
  it.for(lines(({ files }) => files))("%s", async (line) => {
    expectRefused(line, await type(line.replace("FILE", "folder")), "folder");
  });
});

describe.concurrent("a document that is none ends with 1, and is named", () => {
  it.for(lines(({ documents }) => documents))("%s", async (line) => {
    // A sealed file comes as a stream, which has no name.
    const named = line.startsWith("basil open")
      ? "the input is no sealed file"
      : (/--claims-(?:json|file)|bad\.(?:json|toml)/.exec(line)?.[0] ?? "");
    const answer = await type(line);
    // What stands in for an argument is one.
    if (named.startsWith("--claims")) {
      expect(answer).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(named) });
      return;
    }
    expectRefused(line, answer, named);
  });
});

describe.concurrent("a broker that is not running ends with 3", () => {
  it.for(whole("broker"))("%s", async (line) => {
    const { exitCode, stdout, stderr } = await type(line, atSocket(join(granting.folder, "no.sock")));
    expect(stderr).toContain("no.sock");
    expectTwoSentences(stderr);
    expect(stdout).toBe("");
    expect(exitCode).toBe(3);
  });
});

// Only root can give a socket to somebody else.
describe.runIf(uid === 0)("a socket owned by someone else ends with 3", { concurrent: true }, () => {
  const path = (): string => join(granting.folder, "foreign", "agent.sock");
  let foreign: Server;
  beforeAll(async () => {
    const folder = join(granting.folder, "foreign");
    await mkdir(folder);
    await chmod(folder, 0o777);
    foreign = createServer((socket) => socket.destroy());
    await listen(foreign, path());
    await chown(path(), STRANGER, STRANGER);
  });
  afterAll(() => void foreign.close());

  it.for(whole("broker"))("%s", async (line) => {
    const { exitCode, stdout, stderr } = await type(line, atSocket(path()));
    expect(stderr).toContain(`belongs to uid ${STRANGER}`);
    expectTwoSentences(stderr);
    expect(stdout).toBe("");
    expect(exitCode).toBe(3);
  });
});

describe.concurrent("a broker that does not answer in time ends with 5", () => {
  it.for(whole("broker"))("%s", async (line) => {
    const [words = "", ...rest] = line.split(" -- ");
    const timed = [`${words} --timeout 0.4`, ...rest].join(" -- ");
    const { exitCode, stdout, stderr } = await type(timed, atSocket(join(granting.folder, "silent.sock")));
    expect(stderr).toContain("no answer within 0.4 s");
    expectTwoSentences(stderr);
    expect(stdout).toBe("");
    expect(exitCode).toBe(5);
  });
});

describe.concurrent("a call that is denied ends with 4", () => {
  it.for(whole("denied"))("%s", async (line) => {
    const { exitCode, stdout, stderr } = await type(line, atSocket(denying.socket));
    expect(stderr).toContain("the broker refused");
    expectTwoSentences(stderr);
    expect(stdout).toBe("");
    expect(exitCode).toBe(4);
  });
});

describe.concurrent("a reader that goes away ends with 1, and without a word", () => {
  it.for(lines(({ pipe }) => [pipe]))("%s", async (line) => {
    // It would succeed, or say no, with a reader.
    const { exitCode, stderr } = await type(line, { deaf: true });
    expect(stderr).not.toContain("EPIPE");
    expect(stderr).not.toContain("    at ");
    expect(stderr).not.toContain("error:");
    expect(exitCode).toBe(1);
  });
});

describe.concurrent("with --json standard output is one JSON value", () => {
  // Bytes of a sealed or opened file, and another program's help, are no report.
  const others = /^basil (?:seal|open|kms-emulator) /;
  it.for(lines(({ pipe }) => [pipe]).filter((line) => !line.endsWith("--help") && !others.test(line)))(
    "%s",
    async (line) => {
      const { stdout } = await type(`${line} --json`);
      expect(stdout).not.toBe("");
      expect(() => JSON.parse(stdout)).not.toThrow();
    },
  );
});

describe("Ctrl-C at a prompt ends with 5, and nothing is changed", () => {
  const prompts = Object.entries(BAD_INPUT).flatMap(([command, { prompt }]) =>
    isNever(prompt) ? [] : [{ command, ...prompt }],
  );
  it.concurrent.for(prompts)("basil $command $line", async ({ command, line, asks }, context) => {
    need(context, "script");
    const { AWS_ENDPOINT_URL_KMS = "", AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "" } = granting.env;
    const env = `NO_COLOR=1 AWS_ENDPOINT_URL_KMS=${AWS_ENDPOINT_URL_KMS} AWS_ACCESS_KEY_ID=${AWS_ACCESS_KEY_ID} AWS_SECRET_ACCESS_KEY=${AWS_SECRET_ACCESS_KEY}`;
    const before = await readFile(join(granting.folder, "creds.sealed"));
    const typedLine = `${env} "${process.execPath}" "${program}" ${command} ${line}`;
    const { status, seen } = await atTerminal(granting.folder, typedLine, asks, ["\u0003"]);
    expect(status, seen).toBe(5);
    expect(seen).toMatch(/error: .*interrupted/);
    expect(await readFile(join(granting.folder, "creds.sealed"))).toEqual(before);
  });
});
