import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, chmod, chown, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasProgram } from "../peers/program.ts";
import { Stack } from "../stack.ts";
import { signingOnly } from "./signing-only.ts";

const run = promisify(execFile);
const docker = join(import.meta.dirname, "../../deploy/docker");
const UID = 10_001;
const root = process.getuid?.() === 0;

let folder: string;
let prefix: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-image-"));
  prefix = join(folder, "opt");
  await chmod(folder, 0o755);
  await run("sh", [join(docker, "pack.sh"), join(folder, "context")]);
  await run("sh", [join(folder, "context", "install.sh"), join(folder, "context", "tarballs"), prefix]);
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the image's build context", () => {
  it("holds everything that the Dockerfile copies, and the script that it runs", async () => {
    const dockerfile = await readFile(join(folder, "context", "Dockerfile"), "utf8");
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(\S+) /gm)];
    expect(copied.length).toBeGreaterThan(1);
    for (const [, source = ""] of copied) await access(join(folder, "context", source));
    expect(dockerfile).toMatch(/^RUN sh \/install\.sh \/tarballs \/opt\/basil$/m);
    expect((await readdir(join(folder, "context", "tarballs"))).length).toBe(11);
  });
});

describe("what the image holds", () => {
  it("is the program of the packed tarballs, at the path of the entry point", async () => {
    const dockerfile = await readFile(join(docker, "Dockerfile"), "utf8");
    const [, entry = ""] = /^ENTRYPOINT (.*)$/m.exec(dockerfile) ?? [];
    const [node, file = ""] = JSON.parse(entry) as string[];
    expect(node).toBe("node");
    const { stdout } = await run(process.execPath, [file.replace("/opt/basil", prefix), "--version"]);
    expect(stdout).toMatch(/^basil \d+\.\d+\.\d+\n$/);
    expect((await run(join(prefix, "bin", "basil"), ["--version"])).stdout).toBe(stdout);
  });

  // Another user's, without any right of root's: what USER and the security contexts of the manifests leave.
  it.skipIf(!root || !hasProgram("setpriv"))("signs for a caller as an unprivileged user", async () => {
    await using stack = await Stack.start({
      ...(await signingOnly()),
      policy: {
        schemaVersion: 2,
        subjects: { root: { allOf: [{ kind: "unix", uid: 0 }] } },
        rules: [{ id: "signs", subjects: ["root"], action: ["op:sign"], target: ["jwt.**"] }],
      },
    });
    for (const name of ["", ...(await readdir(stack.folder))]) await chown(join(stack.folder, name), UID, UID);
    const confined = ["--reuid", `${UID}`, "--regid", `${UID}`, "--clear-groups", "--no-new-privs"];
    const agent = spawn(
      "setpriv",
      [
        ...[...confined, "--bounding-set=-all", "--inh-caps=-all"],
        ...[process.execPath, join(prefix, "node_modules/@basil/cli/bin/basil.js")],
        ...["agent", "--config", join(stack.folder, "agent.toml")],
      ],
      { env: stack.env, stdio: ["ignore", "ignore", "pipe"] },
    );
    const log = await untilListening(agent);
    const env = { ...stack.env, BASIL_BROKER_UID: `${UID}`, PATH: `${join(prefix, "bin")}:${process.env.PATH}` };
    const { stdout } = await run("basil", ["sign", "--key-id", "jwt.signing.primary", "text"], { env }).finally(() =>
      agent.kill(),
    );
    expect(stdout.trim()).not.toBe("");
    expect(log).not.toContain('"level":"warn"');
    expect(await once(agent, "close")).toEqual([0, null]);
  });
});

async function untilListening(agent: ChildProcess): Promise<string> {
  let log = "";
  for await (const text of agent.stderr?.setEncoding("utf8").iterator({ destroyOnReturn: false }) ?? []) {
    log += text;
    if (log.includes('"listening"')) return log;
  }
  throw new Error(`the agent ended:\n${log}`);
}
