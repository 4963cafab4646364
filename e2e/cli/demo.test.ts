import { spawn } from "node:child_process";
import { access, cp, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { basil } from "./typed.js";

/** One line that was typed in the demo, and what was printed under it. */
interface Step {
  readonly line: string;
  readonly answer: string;
}

function stepsOf(output: string): Step[] {
  const steps: { line: string; answer: string }[] = [];
  for (const row of output.split("\n")) {
    if (row.startsWith("$ ")) steps.push({ line: row.slice(2), answer: "" });
    else if (row !== "" && !row.startsWith("# ")) steps.at(-1)!.answer += `${row}\n`;
  }
  return steps;
}

/** What surrounds the demo: settings that would lead it astray if it listened to them. */
const surroundings = (folder: string): Record<string, string> => ({
  PATH: process.env.PATH ?? "",
  HOME: folder,
  TMPDIR: folder,
  AWS_ACCESS_KEY_ID: "AKIASURROUNDINGS0000",
  AWS_SECRET_ACCESS_KEY: "not-for-the-demo",
  AWS_PROFILE: "production",
  AWS_ENDPOINT_URL: "http://127.0.0.1:1",
  AWS_REGION: "eu-west-1",
  BASIL_SOCKET: "/nowhere/agent.sock",
  BASIL_CONFIG: "/nowhere/agent.toml",
});

let folder: string;
/** The program in a folder that is closed to other users, as a home folder or one of `mktemp -d` is. */
let closed: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-demo-test-"));
  closed = await mkdtemp(join(tmpdir(), "basil-demo-program-"));
  const cli = join(import.meta.dirname, "../../packages/cli");
  for (const part of ["bin", "data", "dist", "package.json"]) {
    await cp(join(cli, part), join(closed, part), { recursive: true });
  }
  await symlink(join(cli, "node_modules"), join(closed, "node_modules"));
});
afterAll(() => Promise.all([folder, closed].map((path) => rm(path, { recursive: true, force: true }))));

describe("basil demo --keep", () => {
  let kept: Awaited<ReturnType<typeof keepRunning>>;
  beforeAll(async () => {
    kept = await keepRunning();
  }, 120_000);
  afterAll(() => kept?.stop());

  it.for([
    ["creates the keys on the provisioner identity", /AWS_PROFILE=basil-provisioner basil agent[\s\S]*5 generated/],
    ["serves the page's catalog", /"description": "JWT signing key held in AWS KMS"/],
    [
      "fills the ARNs into the runtime policy",
      /"Sid": "BasilBrokerInPlaceOps"[\s\S]*"arn:aws:kms:us-east-1:111122223333:key\//,
    ],
    [
      "seals the bundle as the page does",
      /\$ basil bundle set-backend creds\.sealed --backend id=kms,type=aws-kms,region=us-east-1 --open passphrase:file=/,
    ],
    [
      "proves the deployment before it serves",
      /\$ basil doctor -c agent\.toml --live\n[^$]*0 warn, 0 fatal\nresult: OK\n/,
    ],
    ["starts on the runtime identity", /\$ env AWS_PROFILE=basil-runtime basil agent[\s\S]*ready: true/],
    [
      "signs and verifies ES256",
      /\$ basil sign --key-id jwt\.signing\.primary '.*'\n[0-9a-f]{128}\n\$ basil verify .*\ntrue\n/,
    ],
    ["has jose verify a JWT", /jose: verified \{"alg":"ES256"/],
    ["signs ES384", /sign --key-id release\.es384 .*\n[0-9a-f]{192}\n\$ .* verify .*\ntrue\n/],
    ["signs ES512", /sign --key-id release\.es512 .*\n[0-9a-f]{264}\n\$ .* verify .*\ntrue\n/],
    ["signs Ed25519", /sign --key-id release\.ed25519 .*\n[0-9a-f]{128}\n\$ .* verify .*\ntrue\n/],
    [
      "signs for OpenSSH and git",
      /-----END SSH SIGNATURE-----\n\$ basil verify --offline .*--namespace file .*\ntrue\n\$ .*--namespace git .*\nfalse\n/,
    ],
    ["seals and opens data of any size", /\$ basil open --file numbers\.sealed .*\n20000\n/],
    ["encrypts and decrypts with additional data", /--aad-hex [0-9a-f]+ --raw.*\nthe secret of order 4711\n/],
    ["denies a call without a rule", /basil sign --key-id payload\.aead .*\nerror: .*UNAUTHORIZED/],
    ["has IAM deny CreateKey", /basil agent -c new-key\.toml[\s\S]*kms:CreateKey[\s\S]*# exit code 1/],
    [
      "stops before the socket without kms:DescribeKey",
      /basil agent -c without-describe\.toml[\s\S]*kms:DescribeKey[\s\S]*no socket\n/,
    ],
    ["shows the audit log", /"reason":"not_permitted"[\s\S]*"reason":"unknown_key"/],
  ] as const)("%s", ([, shown]) => {
    expect(kept.output()).toMatch(shown);
  });

  it("shows another user's call when it can become one, and says why when it cannot", () => {
    const shown =
      process.getuid?.() === 0 ? /\$ as-uid 65534 basil sign .*\nerror: .*UNAUTHORIZED/ : /Left out: only root/;
    expect(kept.output()).toMatch(shown);
  });

  it("gives an unknown key and a denied one the same answer", () => {
    const steps = stepsOf(kept.output());
    const answerOf = (key: string) => steps.find(({ line }) => line.startsWith(`basil sign --key-id ${key} `))?.answer;
    expect(answerOf("no.such.key")).toBe(answerOf("payload.aead"));
  });

  it("lets a shell repeat what it printed, and gives the same answers", async () => {
    const steps = stepsOf(kept.output());
    const source = steps.find(({ line }) => line.startsWith(". "))?.line ?? "";
    expect(source).toMatch(/^\. .*env\.sh$/);
    const again = (line: string) => shell(`${source}\n${line}`, surroundings(folder));

    // What signs and encrypts answers anew each time: that is held by what verifies and decrypts.
    const fresh = /^basil (--socket \S+ )?(sign|encrypt) |jwt-signature\.hex$|verify-jwt|^cat .*\.jsonl|^cat .*\.log/;
    // What starts and stops agents, and makes bundles, belongs to those that are running; doctor looks before they are.
    const once = /basil agent|basil doctor|kill|bundle create|set-backend|^ls -l|^\. |run\/provision\.sock/;
    const repeatable = steps.filter(({ line }) => !fresh.test(line) && !once.test(line));
    expect(repeatable.length).toBeGreaterThan(20);
    for (const { line, answer } of repeatable) {
      const { output } = await again(line);
      expect.soft(output, line).toBe(answer);
    }

    const signature = (await again("basil sign --key-id jwt.signing.primary again")).output.trim();
    expect((await again(`basil verify --key-id jwt.signing.primary --signature ${signature} again`)).output).toBe(
      "true\n",
    );
    const es512 = (await again("basil --socket run/signing.sock sign --key-id release.es512 again")).output.trim();
    const verify = `basil --socket run/signing.sock verify --key-id release.es512 --signature ${es512} again`;
    expect((await again(verify)).output).toBe("true\n");
    const encrypted = (await again("basil encrypt --key-id payload.aead --aad-hex 0a again")).output;
    const ciphertext = /^ciphertext: (.*)$/m.exec(encrypted)?.[1];
    const flags = "--key-id payload.aead --algorithm aes256-gcm --version 1 --nonce '' --aad-hex 0a --raw";
    expect((await again(`basil decrypt ${flags} --ciphertext ${ciphertext}`)).output).toBe("again");
    const proofs = steps.filter(({ line }) => /jwt-signature\.hex$|verify-jwt/.test(line));
    expect(proofs.length).toBeGreaterThan(1);
    for (const { line } of proofs) {
      const repeated = await again(line);
      expect(repeated.exitCode, line).toBe(0);
      if (line.includes("verify-jwt")) expect(repeated.output).toContain("jose: verified");
    }
  }, 120_000);

  it("ends with 0 on Ctrl-C, and leaves nothing behind", async () => {
    expect(await kept.stop()).toBe(0);
    expect(kept.output()).toContain("Cleaned up");
    expect(await readdir(folder)).toEqual([]);
  });

  it("is gone with everything it started when it is interrupted in the middle", async () => {
    const stopped = await keepRunning(/\n# 6\. /);
    const workdir = /Everything is in (\S+),/.exec(stopped.output())?.[1] ?? "";
    await access(workdir);
    expect(await stopped.stop()).toBe(5);
    await expect(access(workdir)).rejects.toMatchObject({ code: "ENOENT" });
    expect(await readdir(folder)).toEqual([]);
  }, 120_000);
});

describe("basil demo --json", () => {
  it("prints one document of every step, and leaves nothing behind", async () => {
    const { exitCode, stdout, stderr } = await basil(["demo", "--json"], { env: surroundings(folder), cwd: folder });
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    const { steps } = JSON.parse(stdout) as { steps: { command: string; exit_code: number }[] };
    expect(steps.length).toBeGreaterThan(30);
    expect(steps.every(({ command, exit_code }) => command !== "" && Number.isInteger(exit_code))).toBe(true);
    expect(await readdir(folder)).toEqual([]);
  }, 120_000);
});

/** A demo that runs in the background, once its output shows that it got as far as `until`. */
async function keepRunning(until = /In another shell:[\s\S]*Ctrl-C/) {
  const child = spawn(process.execPath, [join(closed, "bin/basil.js"), "demo", "--keep"], {
    env: surroundings(folder),
    cwd: folder,
  });
  let [output, errors] = ["", ""];
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (until.test(output)) resolve();
    });
    void ended.then(() => reject(new Error(`the demo ended early:\n${output}\n${errors}`)));
  });
  return {
    output: () => output,
    stop: () => {
      child.kill("SIGINT");
      return ended;
    },
  };
}

/** A person's shell: standard output and standard error on one terminal, in that order. */
function shell(script: string, env: Record<string, string>): Promise<{ output: string; exitCode: number | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", script], { env, cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ output: stdout + stderr, exitCode }));
  });
}
