import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startKmsEmulator } from "@basil/aws-kms-emulator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { atTerminal, need } from "../bundle/terminal.js";
import { program, typed } from "./typed.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-init-"));
  await writeFile(join(folder, "pass"), "correct horse battery staple\n", { mode: 0o600 });
});
afterEach(() => rm(folder, { recursive: true }));

/** Runs init at a terminal, and answers its questions in their order. */
const atPrompts = (line: string, answers: readonly string[]) =>
  atTerminal(folder, `NO_COLOR=1 "${process.execPath}" "${program}" ${line}`, /:\s*$/, answers);

const type = (line: string, env: Record<string, string> = {}) => typed(line, { cwd: folder, env });

async function statuses(): Promise<Map<string, string>> {
  const { stdout } = await type("basil doctor -c basil/agent.toml --json");
  const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string }[] };
  return new Map(checks.map(({ name, status }) => [name, status]));
}

describe("basil init", () => {
  it("writes three files that load, and leaves only the bundle for doctor to miss", async () => {
    const { exitCode, stdout, stderr } = await type("basil init --region us-east-1");
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    expect((await readdir(join(folder, "basil"))).sort()).toEqual(["agent.toml", "catalog.json", "policy.json"]);
    expect(stdout).toContain("basil bundle create");
    const fatal = [...(await statuses())].filter(([, status]) => status === "fatal").map(([name]) => name);
    expect(fatal).toEqual(["bundle_readable"]);
  });

  it("ignores the socket of BASIL_SOCKET and warns of it", async () => {
    const { stderr } = await type("basil init --region us-east-1", { BASIL_SOCKET: "/run/first.sock" });
    expect(stderr).toContain('BASIL_SOCKET is set to "/run/first.sock"');
    expect(await readFile(join(folder, "basil", "agent.toml"), "utf8")).not.toContain("/run/first.sock");
  });

  it("seals the bundle with a passphrase, and then nothing is blocking", async () => {
    const line = "basil init --region us-east-1 --unlock passphrase --passphrase-file pass";
    expect(await type(line)).toMatchObject({ exitCode: 0, stderr: "" });
    expect([...(await statuses()).values()]).not.toContain("fatal");
  });

  it("leads to a signature when its steps are followed", async () => {
    await using emulator = await startKmsEmulator();
    const env = {
      AWS_ENDPOINT_URL_KMS: emulator.endpoint,
      AWS_ACCESS_KEY_ID: emulator.rootCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: emulator.rootCredentials.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: "true",
    };
    await type("basil init --region us-east-1 --unlock passphrase --passphrase-file pass");
    let stop = (): void => {};
    const agent = typed("basil agent -c basil/agent.toml", {
      cwd: folder,
      env,
      onSpawn: (kill) => {
        stop = () => kill("SIGTERM");
      },
    });
    expect(await type("basil --socket basil/basil.sock ready --wait 30")).toMatchObject({ exitCode: 0 });
    const signed = await type("basil --socket basil/basil.sock sign --key-id example.signing_key hello");
    expect(signed.stdout).toMatch(/^[0-9a-f]{128}\n$/);
    stop();
    expect(await agent).toMatchObject({ exitCode: 0 });
  });

  it("writes nothing over files that are there, and names them all", async () => {
    await type("basil init --region us-east-1");
    await writeFile(join(folder, "basil", "policy.json"), "mine");
    const { exitCode, stderr } = await type("basil init --region eu-west-1");
    expect(exitCode).toBe(1);
    for (const name of ["catalog.json", "policy.json", "agent.toml"]) expect(stderr).toContain(name);
    expect(await readFile(join(folder, "basil", "policy.json"), "utf8")).toBe("mine");
    expect(await type("basil init --region eu-west-1 --force")).toMatchObject({ exitCode: 0 });
    expect(await readFile(join(folder, "basil", "catalog.json"), "utf8")).toContain("aws-kms:eu-west-1");
  });

  it("prints its report as JSON", async () => {
    const { stdout } = await type("basil init --json", { AWS_REGION: "us-east-1" });
    expect(JSON.parse(stdout)).toMatchObject({
      bundle: null,
      files: [expect.stringContaining("catalog.json"), expect.anything(), expect.anything()],
    });
  });

  it("makes the keys and lets in the users that the flags name", async () => {
    const keys = "--key jwt.signing=ed25519 --key app.data=aes-256-gcm --uid 1001 --uid 1002";
    const { stdout } = await type(`basil init --region us-east-1 --endpoint http://127.0.0.1:4599 ${keys}`);
    expect(stdout).toContain("endpoint=http://127.0.0.1:4599");
    expect(stdout).toContain("sign --key-id jwt.signing");
    const grants = async (subject: string): Promise<string> =>
      (await type(`basil explain -c basil/agent.toml --subject ${subject} --effective`)).stdout;
    for (const subject of ["init.user_1001", "init.user_1002"]) {
      expect(await grants(subject)).toMatch(/ALLOW {2}sign {2}jwt\.signing/);
      expect(await grants(subject)).toMatch(/ALLOW {2}decrypt {2}app\.data/);
    }
    expect(await readFile(join(folder, "basil", "agent.toml"), "utf8")).toContain('socket-mode = "0666"');
  });

  it("serves no key when none is wanted, and nothing of the documents is wrong", async () => {
    expect(await type("basil init --region us-east-1 --key none")).toMatchObject({ exitCode: 0 });
    const fatal = [...(await statuses())].filter(([, status]) => status === "fatal").map(([name]) => name);
    expect(fatal).toEqual(["bundle_readable"]);
  });

  it.for([
    ["basil init", "--region is missing", 2],
    [`basil init --region us-east-1 --dir ${"d".repeat(120)}`, "is too long for a socket", 2],
    ["basil init --region us-east-1 --key Web=ed25519", '--key is "Web=ed25519"', 2],
    ["basil init --region us-east-1 --key web=rsa-2048", "NAME=TYPE", 2],
    ["basil init --region us-east-1 --key a=ed25519 --key a=ed25519", "--key names a twice", 2],
    ["basil init --region us-east-1 --uid root", '--uid is "root"', 2],
    ["basil init --region us-east-1 --endpoint ftp://kms", '--endpoint is "ftp://kms"', 2],
    ["basil init --region nowhere", '--region is "nowhere"', 2],
    ["basil init --region us-east-1 --backend tape", "Allowed choices are aws-kms", 2],
    ["basil init --region us-east-1 --unlock passphrase --passphrase-file absent", "there is no such file", 1],
    ["basil init --region us-east-1 --dir pass", "cannot be written", 1],
  ] as const)("%s is refused", async ([line, what, code]) => {
    const { exitCode, stdout, stderr } = await type(line);
    expect(exitCode).toBe(code);
    expect(stdout).toBe("");
    expect(stderr).toContain(what);
    expect(await readdir(folder)).toEqual(["pass"]);
  });
});

describe("basil init at a terminal", () => {
  it("asks what it needs, takes defaults at Return, asks again when an answer is none, and seals the bundle", async (context) => {
    need(context, "script");
    const secret = "a passphrase that nobody sees";
    const answers = ["nowhere", "eu-west-1", "jwt.signing=ecdsa-p384", "", "", "", secret, secret];
    const { status, seen } = await atPrompts("init", answers);
    expect(status, seen).toBe(0);
    expect(seen).toContain('again: --region is "nowhere"');
    expect(seen).not.toContain(secret);
    expect((await readdir(join(folder, "basil"))).sort()).toEqual(
      expect.arrayContaining(["agent.toml", "catalog.json", "creds.sealed", "passphrase", "policy.json"]),
    );
    expect(await readFile(join(folder, "basil", "passphrase"), "utf8")).toBe(secret);
    expect((await stat(join(folder, "basil", "passphrase"))).mode & 0o777).toBe(0o600);
    const catalog = JSON.parse(await readFile(join(folder, "basil", "catalog.json"), "utf8"));
    expect(catalog.keys["jwt.signing"]).toMatchObject({ keyType: "ecdsa-p384", path: "alias/basil/jwt-signing" });
    expect(catalog.backends.primary.addr).toBe("aws-kms:eu-west-1");
    expect([...(await statuses()).values()]).not.toContain("fatal");
  });

  it("asks only for what the flags leave open, and makes a passphrase when none is typed", async (context) => {
    need(context, "script");
    const line = "init --region us-east-1 --key none --uid 0 --unlock passphrase";
    const { status, seen } = await atPrompts(line, ["", "", ""]);
    expect(status, seen).toBe(0);
    expect(await readFile(join(folder, "basil", "passphrase"), "utf8")).toMatch(/^[\w-]{32}$/);
    expect([...(await statuses()).values()]).not.toContain("fatal");
  });

  it("asks nothing with --yes", async (context) => {
    need(context, "script");
    const { status, seen } = await atPrompts("init --yes --region us-east-1", []);
    expect(status, seen).toBe(0);
    expect((await readdir(join(folder, "basil"))).sort()).toEqual(["agent.toml", "catalog.json", "policy.json"]);
  });

  it.for([
    ["the first question", ["\u0003"]],
    ["a later question", ["us-east-1", "", "\u0003"]],
    ["the passphrase", ["us-east-1", "", "", "", "", "\u0003"]],
    ["the passphrase, again", ["us-east-1", "", "", "", "", "secret", "\u0003"]],
  ] as const)("leaves nothing behind at Ctrl-C: %s", async ([, answers], context) => {
    need(context, "script");
    const { status, seen } = await atPrompts("init", answers);
    expect(status, seen).toBe(5);
    expect(seen).toContain("error: interrupted");
    expect(await readdir(folder)).toEqual(["pass"]);
  });

  it("takes back what it has written when the bundle cannot be sealed", async () => {
    await chmod(join(folder, "pass"), 0o600);
    await writeFile(join(folder, "pass"), "");
    const line = "basil init --region us-east-1 --unlock passphrase --passphrase-file pass";
    const { exitCode, stderr } = await type(line);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("hint: ");
    expect(await readdir(folder)).toEqual(["pass"]);
  });

  it("leaves what it would have replaced when the bundle cannot be sealed", async () => {
    await type("basil init --region us-east-1");
    await writeFile(join(folder, "pass"), "");
    const before = await readFile(join(folder, "basil", "catalog.json"));
    const line = "basil init --region eu-west-1 --force --unlock passphrase --passphrase-file pass";
    expect(await type(line)).toMatchObject({ exitCode: 1 });
    expect(await readFile(join(folder, "basil", "catalog.json"))).toEqual(before);
  });
});
