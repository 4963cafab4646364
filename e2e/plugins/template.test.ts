import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packAll, root } from "../packed/pack.js";
import { policyOfMe } from "../policy-of-me.js";

const template = join(root, "examples/backend-template");
const CATALOG = {
  schemaVersion: 1,
  backends: { store: { kind: "sealed-files", addr: "", engines: ["transit"], mintKeyTypes: ["ed25519"] } },
  keys: {
    "app.signer": {
      class: "asymmetric",
      keyType: "ed25519",
      backend: "store",
      path: "app-signer",
      writable: false,
      missing: "generate",
      description: "signs for the app",
    },
  },
};
const POLICY = policyOfMe({ id: "use", subjects: ["me"], action: ["op:sign", "op:verify"], target: ["app.signer"] });

const QUIET = ["--no-audit", "--no-fund", "--prefer-offline"];

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe("examples/backend-template, copied out of the workspace, with packed tarballs in the place of a registry", {
  timeout: 240_000,
}, () => {
  let folder: string;
  let copy: string;
  let project: string;
  const run = (program: string, args: readonly string[], cwd: string, more: NodeJS.ProcessEnv = {}): Promise<Ended> =>
    new Promise((resolve) => {
      const env = { PATH: process.env.PATH ?? "", NO_COLOR: "1", BASIL_SOCKET: join(project, "s"), ...more };
      // Whatever the umask of these tests, what is installed is not for others to write.
      const words = ["-c", 'umask 022; exec "$0" "$@"', program, ...args];
      const child = execFile("/bin/sh", words, { cwd, env, maxBuffer: 64 << 20 }, (_, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout, stderr }),
      );
    });
  const npm = async (cwd: string, ...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run("npm", [...args, ...QUIET], cwd, process.env);
    expect(code, stderr).toBe(0);
    return stdout;
  };
  const basil = (...args: readonly string[]) => run(join(project, "node_modules/.bin/basil"), args, project);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "basil-template-"));
    copy = join(folder, "my-backend");
    project = join(folder, "project");
    const tarballs = await packAll(join(folder, "tarballs"));
    const packed = (...names: readonly string[]) => names.map((name) => tarballs.get(name) ?? name);
    await cp(template, copy, { recursive: true });
    await npm(copy, "install", ...packed("catalog", "core", "backend-conformance"));
    await mkdir(project);
    await writeFile(join(project, "package.json"), JSON.stringify({ name: "someone", private: true }));
    await npm(copy, "pack", "--pack-destination", folder);
    await npm(project, "install", ...tarballs.values(), join(folder, "basil-backend-template-0.1.0.tgz"));
  }, 240_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("depends on published names alone", async () => {
    const manifest = JSON.parse(await readFile(join(template, "package.json"), "utf8")) as Record<string, object>;
    const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(versions.map(([name]) => name).sort()).toEqual(["@basil/backend-conformance", "@basil/core", "zod"]);
    for (const [, version] of versions) expect(version).toMatch(/^\^\d+\.\d+\.\d+$/);
  });

  it("passes conformance by its own test script", async () => {
    const { code, stdout } = await run("npm", ["test"], copy);
    expect(stdout).toMatch(/(#|ℹ) fail 0\n/);
    expect(Number(/(?:#|ℹ) pass (\d+)/.exec(stdout)?.[1])).toBeGreaterThan(500);
    expect(code).toBe(0);
  });

  it("has types in its comments that the compiler finds right", async () => {
    const compilerOptions = {
      ...{ allowJs: true, checkJs: true, strict: true, noEmit: true, exactOptionalPropertyTypes: true },
      ...{ noUncheckedIndexedAccess: true, skipLibCheck: true, module: "nodenext", target: "esnext" },
      ...{ types: ["node"], typeRoots: [join(root, "node_modules/@types")] },
    };
    await writeFile(join(copy, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["src", "test"] }));
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    expect(await run(process.execPath, [compiler, "-p", "."], copy)).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("serves as a plugin of an installed agent: doctor, generate, sign, and verify after a restart", async () => {
    const write = (name: string, text: string, mode = 0o644) => writeFile(join(project, name), text, { mode });
    await write("catalog.json", JSON.stringify(CATALOG));
    await write("policy.json", JSON.stringify(POLICY));
    await write("pass", "correct horse battery staple\n", 0o600);
    await write("store.key", `${"5a".repeat(32)}\n`, 0o600);
    const [, toml = ""] = /<<'END'\n([\s\S]*?)END/.exec(await readFile(join(template, "README.md"), "utf8")) ?? [];
    expect(toml).toContain("[[plugin]]");
    await write("agent.toml", toml);
    const spec = `id=store,type=sealed-files,folder=${join(project, "keys")},key-file=store.key`;
    const slot = ["--slot", "passphrase:file=pass"];
    const created = await basil("bundle", "create", "creds.sealed", "-c", "agent.toml", ...slot, "--backend", spec);
    expect(created).toMatchObject({ code: 0, stderr: "" });
    const doctor = await basil("doctor", "-c", "agent.toml", "--json");
    expect(doctor.stdout).toContain("backend kinds installed: sealed-files (basil-backend-template)");

    const agent = async <T>(use: () => Promise<T>): Promise<T> => {
      const child = spawn(join(project, "node_modules/.bin/basil"), ["agent", "-c", "agent.toml"], {
        cwd: project,
        env: { PATH: process.env.PATH ?? "", BASIL_SOCKET: join(project, "s") },
        stdio: ["ignore", "ignore", "pipe"],
      });
      let log = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        log += text;
      });
      const closed = once(child, "close");
      try {
        while ((await basil("ready")).code !== 0) {
          if (child.exitCode !== null) throw new Error(`the agent ended with ${child.exitCode}:\n${log}`);
          await sleep(50);
        }
        return await use();
      } finally {
        child.kill("SIGTERM");
        await closed;
        expect(child.exitCode, log).toBe(0);
      }
    };
    const signed = await agent(() => basil("sign", "--key-id", "app.signer", "a message"));
    expect(signed).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[0-9a-f]{128}\n$/) });
    const verify = ["verify", "--key-id", "app.signer", "--signature", signed.stdout.trim(), "a message"];
    expect(await agent(() => basil(...verify))).toMatchObject({ code: 0, stdout: "true\n" });
  });
});
