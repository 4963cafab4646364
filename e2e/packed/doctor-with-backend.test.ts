import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seed } from "../stack.js";
import { installWithNpm } from "./install.js";
import { packAll } from "./pack.js";

/** What somebody does not get who installs the program and the backend. */
const LEFT_OUT = ["aws-kms-emulator", "backend-conformance"];

describe("@basil/cli from packed tarballs, with the backend package", () => {
  let folder: string;
  let project: string;
  const run = (words: string): Promise<{ code: number | null; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      const env = { PATH: process.env.PATH ?? "", HOME: folder, NO_COLOR: "1" };
      const program = join(project, "node_modules", ".bin", "basil");
      const child = execFile(program, words.split(" "), { cwd: project, env }, (_, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout, stderr }),
      );
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "basil-packed-"));
    project = join(folder, "project");
    const tarballs = await packAll(join(folder, "tarballs"));
    const wanted = [...tarballs].filter(([name]) => !LEFT_OUT.includes(name));
    await installWithNpm(project, new Map(wanted), { flags: ["--omit=optional"] });
    await writeFile(join(project, "catalog.json"), await seed.text("catalog.json"));
    const subjects = { me: { allOf: [{ kind: "unix", uid: 0 }] } };
    await writeFile(join(project, "policy.json"), JSON.stringify({ schemaVersion: 2, subjects }));
    await writeFile(join(project, "pass"), "correct horse battery staple\n", { mode: 0o600 });
    const backend = "--backend id=kms,type=aws-kms,region=us-east-1";
    const created = await run(`bundle create creds.sealed --slot passphrase:file=pass ${backend}`);
    expect(created.code, created.stderr).toBe(0);
  }, 240_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("has the program and the backend", async () => {
    const installed = await readdir(join(project, "node_modules", "@basil"));
    expect(installed).toEqual(expect.arrayContaining(["backend-aws-kms", "cli"]));
    expect(installed).not.toContain("aws-kms-emulator");
  });

  it("is told by doctor that the kind is there", async () => {
    const documents = "--catalog catalog.json --policy policy.json --bundle creds.sealed";
    const { stdout } = await run(`doctor --json ${documents}`);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string; detail: string }[] };
    const row = checks.find(({ name }) => name === "feature_compatibility");
    expect(row).toMatchObject({ status: "ok" });
    expect(row?.detail).not.toContain("not installed");
  });
});
