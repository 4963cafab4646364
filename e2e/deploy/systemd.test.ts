import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { basil } from "../cli/typed.ts";
import { hasProgram } from "../peers/program.ts";
import { policyOfMe } from "../policy-of-me.js";
import { Stack } from "../stack.ts";
import { ManagedAgent } from "./managed-agent.ts";
import { relocate } from "./relocate.ts";

const CATALOG = JSON.stringify({
  schemaVersion: 1,
  backends: { kms: { kind: "aws-kms", addr: "aws-kms:us-east-1", engines: ["transit"] } },
  keys: {},
});
const POLICY = policyOfMe({ id: "reload", subjects: ["me"], action: ["op:reload"], target: ["broker.reload"] });
const units = join(import.meta.dirname, "../../deploy/systemd");
const program = join(import.meta.dirname, "../../packages/cli/bin/basil.js");
let folder: string;
let service: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-units-"));
  const text = await readFile(join(units, "basil.service"), "utf8");
  // What it starts has to be there to be verified; everything else is as it is shipped.
  const [, node = "", file = ""] = /^ExecStart=(\S+) (\S+) /m.exec(text) ?? [];
  service = join(folder, "basil.service");
  // By names without blanks, wherever this checkout lies.
  const [started, entry] = [join(folder, "node"), join(folder, "basil.js")];
  await symlink(process.execPath, started);
  await symlink(program, entry);
  await writeFile(service, text.replace(`ExecStart=${node} ${file}`, `ExecStart=${started} ${entry}`));
  await copyFile(join(units, "basil.socket"), join(folder, "basil.socket"));
});
afterAll(() => rm(folder, { recursive: true }));

const analyze = (...words: string[]) =>
  new Promise<{ code: number | null; said: string }>((resolve) => {
    const child = execFile("systemd-analyze", words, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, said: stdout + stderr }),
    );
  });

describe.skipIf(!hasProgram("systemd-analyze"))("basil.service and basil.socket", () => {
  it("are units that systemd takes without a word", async () => {
    expect(await analyze("verify", "--man=no", service, join(folder, "basil.socket"))).toEqual({ code: 0, said: "" });
  });

  it("are exposed by 2.0 at most", async () => {
    const { code, said } = await analyze("security", "--offline=true", "--threshold=20", "--no-pager", service);
    expect(code, said).toBe(0);
  });

  it("are held to that: without their system call filter they are not", async () => {
    const open = (await readFile(service, "utf8")).replace(/^(SystemCallFilter|Protect\w+)=.*$/gm, "");
    const loose = join(folder, "loose.service");
    await writeFile(loose, open);
    const { code } = await analyze("security", "--offline=true", "--threshold=20", "--no-pager", loose);
    expect(code).not.toBe(0);
  });
});

describe("basil.service", () => {
  it("starts node itself, and leaves V8 its writable and executable memory", async () => {
    const text = await readFile(join(units, "basil.service"), "utf8");
    expect(text).toMatch(/^ExecStart=\/usr\/bin\/node \/\S+\/basil\.js agent --config \/etc\/basil\/agent\.toml$/m);
    expect(text).not.toMatch(/^(MemoryDenyWriteExecute|PrivateUsers)=/m);
  });

  it.skipIf(!hasProgram("python3"))(
    "has a configuration beside it that serves at the socket it is passed",
    async () => {
      await using stack = await Stack.start({ catalog: CATALOG, policy: POLICY });
      const moved = await relocate(stack.folder);
      const at = (path: string) => moved(path);
      const from = (name: string) => join(stack.folder, name);
      await copyFile(from("creds.sealed"), at("/var/lib/basil/creds.sealed"));
      await copyFile(from("pass"), at("/run/credentials/basil.service/passphrase"));
      for (const name of ["catalog.json", "policy.json"]) await copyFile(from(name), at(`/etc/basil/${name}`));
      const shipped = await readFile(join(units, "agent.toml"), "utf8");
      // A port of this machine may be taken.
      const config = moved(shipped).replace(/^port = \d+$/m, `socket = "${at("/run/basil/metrics.sock")}"`);
      await writeFile(from("agent.toml"), config);
      const [, listen = ""] = /^ListenStream=(.*)$/m.exec(await readFile(join(units, "basil.socket"), "utf8")) ?? [];
      await using agent = new ManagedAgent(stack, { notify: from("notify"), listen: at(listen) });
      await agent.told("READY=1");
      expect(await basil(["ready", "--socket", at(listen)])).toMatchObject({ exitCode: 0, stderr: "" });
      expect(agent.log).not.toContain('"level":"warn"');
    },
  );
});
