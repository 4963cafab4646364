import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../free-port.js";
import { hasPython, pythonVenv } from "../peers/python.js";
import { kmsPeers } from "./kms-peers.js";
import { bareEnvironment } from "./run-scripts.js";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..", "..");
const home = join(root, "packages", "aws-kms-emulator");

/** The one block of the README in a language that holds `part`. */
async function block(language: string, part: string): Promise<string> {
  const readme = await readFile(join(home, "README.md"), "utf8");
  const blocks = [...readme.matchAll(/```(\w+)\n([\s\S]*?)```/g)];
  const found = blocks
    .filter(([, name, text]) => name === language && text?.includes(part))
    .map(([, , text]) => text ?? "");
  expect(found).toHaveLength(1);
  return found[0] ?? "";
}

describe("the README's programs", { timeout: 300_000 }, () => {
  let folder: string;

  /** A project that has the packages installed which the programs import. */
  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "readme-")));
    const modules = join(folder, "node_modules");
    for (const scope of ["@basil", "@aws-sdk", ".bin"]) await mkdir(join(modules, scope), { recursive: true });
    await symlink(home, join(modules, "@basil", "aws-kms-emulator"));
    await symlink(join(home, "node_modules", "@aws-sdk", "client-kms"), join(modules, "@aws-sdk", "client-kms"));
    await symlink(join(root, "node_modules", "vitest"), join(modules, "vitest"));
    await symlink(join(home, "bin", "aws-kms-emulator.js"), join(modules, ".bin", "aws-kms-emulator"));
    await writeFile(join(folder, "package.json"), '{ "type": "module" }\n');
    await writeFile(join(folder, "seed.json"), await block("json", "rootAccessKey"));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  const environment = { ...bareEnvironment, PATH: `${dirname(process.execPath)}${delimiter}${bareEnvironment.PATH}` };

  it("passes as a vitest file", async () => {
    await writeFile(join(folder, "service.test.ts"), await block("ts", "await using"));
    const vitest = join(folder, "node_modules", "vitest", "vitest.mjs");
    const { stdout } = await run(process.execPath, [vitest, "run", "--reporter=tap-flat"], {
      cwd: folder,
      env: environment,
    });
    expect(stdout).toMatch(/^ok 1 .*my service may sign with its key/m);
  });

  it.skipIf(!hasPython())("runs with boto3", async () => {
    const python = await pythonVenv(kmsPeers);
    await writeFile(join(folder, "program.py"), await block("python", "boto3"));
    const { stdout } = await run(python, ["program.py"], { cwd: folder, env: environment });
    expect(stdout).toBe("hello SYMMETRIC_DEFAULT\nanother context opens nothing\n");
  });

  it.skipIf(!hasPython())("runs as a server with the AWS CLI, and goes on from its state file", async () => {
    const python = await pythonVenv(kmsPeers);
    const env = { ...environment, PATH: `${dirname(python)}${delimiter}${environment.PATH}` };
    const script = (await block("sh", "--state")).replaceAll("4599", String(await freePort()));
    const once = () => run("sh", ["-e", "-c", script], { cwd: folder, env });
    expect((await once()).stdout).toBe("ECC_NIST_EDWARDS25519\narn:aws:iam::111122223333:user/service\n3\n");
    expect(await readFile(join(folder, "calls.log"), "utf8")).toMatch(/kms {3}CreateKey {13}allow {2}200 {2}root/);
    await expect(once()).rejects.toMatchObject({
      stdout: "ECC_NIST_EDWARDS25519\n",
      stderr: expect.stringContaining("User with name service already exists."),
    });
  });
});
