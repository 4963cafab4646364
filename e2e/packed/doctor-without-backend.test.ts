import { execFile } from "node:child_process";
import { access, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import brokerManifest from "../../packages/broker/package.json" with { type: "json" };
import { seed } from "../stack.js";
import { installWithNpm } from "./install.js";
import { packAll, root } from "./pack.js";

/** Optional packages of the cli, which are left out here. */
const LEFT_OUT = ["backend-aws-kms", "aws-kms-emulator", "backend-conformance"];

const operations = join(root, "docs", "operations.md");
const LISTEN = `
import { createBroker } from "@basil/broker";
import { parseCatalog } from "@basil/catalog";
import { parsePolicy } from "@basil/policy";
const broker = await createBroker({
  catalog: parseCatalog(JSON.stringify({ schemaVersion: 1, backends: {}, keys: {} })),
  policy: parsePolicy(JSON.stringify({ schemaVersion: 2, subjects: {}, roles: {}, rules: [] })),
  backends: [],
});
try {
  await broker.listen({ path: "embedded.sock" });
  console.log("listening");
} catch (error) {
  console.log(error.code, error.message);
}
await broker.close(0);
`;

describe("@basil/cli from packed tarballs, without the backend package", () => {
  let folder: string;
  let project: string;
  const run = (args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      const env = { PATH: process.env.PATH ?? "", HOME: folder, NO_COLOR: "1" };
      const program = join(project, "node_modules", ".bin", "basil");
      const child = execFile(program, [...args], { cwd: project, env }, (_, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout, stderr }),
      );
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "basil-packed-"));
    project = join(folder, "project");
    const tarballs = await packAll(join(folder, "tarballs"));
    const installed = new Map([...tarballs].filter(([name]) => !LEFT_OUT.includes(name)));
    await installWithNpm(project, installed, { flags: ["--omit=optional"] });
    await writeFile(join(project, "catalog.json"), await seed.text("catalog.json"));
    await writeFile(
      join(project, "policy.json"),
      JSON.stringify({ schemaVersion: 2, subjects: { me: { allOf: [{ kind: "unix", uid: 0 }] } } }),
    );
    await writeFile(join(project, "pass"), "correct horse battery staple\n", { mode: 0o600 });
    const created = await run([
      ...["bundle", "create", "creds.sealed", "--slot", "passphrase:file=pass"],
      ...["--backend", "id=kms,type=aws-kms,region=us-east-1"],
    ]);
    expect(created.code, created.stderr).toBe(0);
  }, 240_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const documents = ["--catalog", "catalog.json", "--policy", "policy.json", "--bundle", "creds.sealed"];

  it("has the program and not the backend", async () => {
    const installed = await readdir(join(project, "node_modules", "@basil"));
    expect(installed).toContain("cli");
    expect(installed).not.toContain("backend-aws-kms");
    expect(await run(["--version"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^basil \d+\.\d+\.\d+\n$/),
    });
  });

  it("is told by doctor which package is missing, and the command that installs it", async () => {
    const { code, stdout } = await run(["doctor", "--json", ...documents]);
    const report = JSON.parse(stdout) as {
      checks: { name: string; status: string; detail: string; remediation: string }[];
    };
    const row = report.checks.find(({ name }) => name === "feature_compatibility");
    expect(row).toMatchObject({ status: "fatal", detail: expect.stringContaining("aws-kms") });
    expect(row?.detail).toContain("@basil/backend-aws-kms");
    expect(row?.remediation).toContain("npm install @basil/backend-aws-kms");
    expect(code).toBe(1);
  });

  it("cannot listen without koffi's binary, says which package that is, and listens once it is named", async () => {
    const [, install = "", version] =
      /^npm install (--omit=optional) @basil\/cli @koromix\/koffi-linux-x64@(.+)$/m.exec(
        await readFile(operations, "utf8"),
      ) ?? [];
    expect(version).toBe(brokerManifest.dependencies.koffi);
    await writeFile(join(project, "listen.mjs"), LISTEN);
    const listen = () =>
      new Promise<string>((resolve) => {
        const env = { PATH: process.env.PATH ?? "", HOME: folder };
        execFile(process.execPath, ["listen.mjs"], { cwd: project, env }, (_, stdout, stderr) =>
          resolve(stdout + stderr),
        );
      });
    const binary = `@koromix/koffi-${process.platform}-${process.arch}`;
    const refused = await listen();
    expect(refused).toContain("PLATFORM_UNSUPPORTED");
    expect(refused).toContain(`it is the package ${binary}`);
    const { checks } = JSON.parse((await run(["doctor", "--json", ...documents])).stdout) as {
      checks: { name: string }[];
    };
    expect(checks.find(({ name }) => name === "socket")).toMatchObject({
      status: "fatal",
      detail: expect.stringContaining(binary),
    });
    const flags = ["--no-audit", "--no-fund", "--prefer-offline"];
    await promisify(execFile)("npm", ["install", install, ...flags, `${binary}@${version}`], { cwd: project });
    expect(await listen()).toBe("listening\n");
    expect(await readdir(join(project, "node_modules", "@basil"))).not.toContain("backend-aws-kms");
  }, 120_000);

  it("refuses to start the agent, and no socket appears", async () => {
    const socket = join(project, "basil.sock");
    await writeFile(
      join(project, "agent.toml"),
      '[unlock]\nunlock-passphrase-file = "pass"\nunlock-passphrase-no-wipe = true\n',
    );
    const { code, stderr } = await run(["agent", "--config", "agent.toml", ...documents, "--socket", socket]);
    expect(code).toBe(1);
    expect(stderr).toContain("@basil/backend-aws-kms");
    await expect(access(socket)).rejects.toMatchObject({ code: "ENOENT" });
  });
});
