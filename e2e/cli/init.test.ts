import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startKmsEmulator } from "@basil/aws-kms-emulator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { typed } from "./typed.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-init-"));
  await writeFile(join(folder, "pass"), "correct horse battery staple\n", { mode: 0o600 });
});
afterEach(() => rm(folder, { recursive: true }));

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
    const socket = join(folder, "basil", "basil.sock");
    expect(await type(`basil --socket ${socket} ready --wait 30`)).toMatchObject({ exitCode: 0 });
    const signed = await type(`basil --socket ${socket} sign --key-id example.signing_key hello`);
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

  it.for([
    ["basil init", "--region is missing", 2],
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
