import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BACKEND_ERROR_CODES, BackendError, type BackendErrorCode } from "@basil/core";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backendAnswer } from "../../packages/broker/src/request/backend-answers.js";
import { STATUS_CODES } from "../../packages/broker/src/request/status-codes.js";
import { PLUGIN_EXPORT } from "../../packages/cli/src/plugins/load-plugin.js";
import { basil } from "../cli/typed.js";

const root = join(import.meta.dirname, "../..");
const page = await readFile(join(root, "docs/writing-a-backend.md"), "utf8");
const blocks = [...page.matchAll(/```ts\n(\/\/ (\S+)\n[\s\S]*?)```/g)].map(([, text = "", name = ""]) => ({
  name,
  text,
}));

describe("docs/writing-a-backend.md", () => {
  let folder: string;
  const run = (program: string, ...args: readonly string[]): Promise<{ code: number | null; stdout: string }> =>
    new Promise((resolve) => {
      const child = execFile(program, [...args], { cwd: folder }, (_, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout: stdout + stderr }),
      );
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "basil-page-"));
    // What an author installs, and no more of ours.
    await mkdir(join(folder, "node_modules", "@basil"), { recursive: true });
    for (const name of ["core", "backend-conformance"])
      await symlink(join(root, "packages", name), join(folder, "node_modules", "@basil", name));
    await symlink(join(root, "packages/core/node_modules/zod"), join(folder, "node_modules", "zod"));
    await symlink(join(root, "node_modules/@types"), join(folder, "node_modules", "@types"));
    await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    for (const { name, text } of blocks) await writeFile(join(folder, name), text);
    const extended = { extends: join(root, "tsconfig.base.json"), include: ["*.ts"] };
    const compilerOptions = {
      outDir: "out",
      sourceMap: false,
      declaration: false,
      declarationMap: false,
      rootDir: ".",
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ ...extended, compilerOptions }));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("has code that compiles, strictly, and a backend that passes conformance as it says", {
    timeout: 120_000,
  }, async () => {
    expect(blocks.map(({ name }) => name)).toEqual([
      "backend.ts",
      "conformance.ts",
      "capabilities.ts",
      "with-node-test.ts",
    ]);
    expect([...page.matchAll(/```ts\n/g)]).toHaveLength(blocks.length);
    const compiled = await run(process.execPath, join(root, "node_modules/typescript/bin/tsc"), "-p", ".", "--noEmit");
    expect(compiled).toEqual({ code: 0, stdout: "" });
    for (const { name, text } of blocks) {
      await writeFile(join(folder, name.replace(/ts$/, "js")), stripTypeScriptTypes(text));
    }
    const promised = /```text\n([\s\S]*?)```/.exec(page)?.[1];
    expect(await run(process.execPath, "conformance.js")).toEqual({ code: 0, stdout: promised });
    const tested = await run(process.execPath, "--test", "with-node-test.js");
    expect(tested.stdout).toMatch(/fail 0\n/);
    expect(tested.code).toBe(0);
  });

  it("lists every error code with what the broker makes of it", () => {
    const rows = [...page.matchAll(/^\| `([A-Z_]+)` +\| [^|]+\| ([A-Z_]+), `([A-Z_]+)` +\|$/gm)];
    const listed = rows.map(([, code, grpc, reason]) => [code, grpc, reason]);
    const made = BACKEND_ERROR_CODES.map((code) => {
      const error = new BackendError<BackendErrorCode>(code, "x", { action: "a", limit: 1, actual: 2 });
      const answer = backendAnswer("sign", error);
      return [code, status[STATUS_CODES[answer.code]], answer.code];
    });
    expect(listed).toEqual(made);
  });

  it("names the export, the limits and the flags that there are", async () => {
    expect(page).toContain(`named export \`${PLUGIN_EXPORT}\``);
    for (const words of [
      ["bundle", "set-backend"],
      ["bundle", "create"],
      ["catalog", "check"],
      ["explain"],
      ["doctor"],
    ]) {
      const { stdout } = await basil([...words, "--help"]);
      expect(stdout).toContain("--plugin <package>");
      expect(stdout).toContain("-c, --config <file>");
    }
    expect((await basil(["agent", "--help"])).stdout).not.toContain("--plugin");
  });
});
