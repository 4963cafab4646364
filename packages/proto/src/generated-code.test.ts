import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const buf = createRequire(import.meta.url).resolve("@bufbuild/buf/bin/buf");

/** It wants a home for its cache and configuration, and must not leave them in ours. */
const runBuf = (args: readonly string[], home: string) =>
  promisify(execFile)(process.execPath, [buf, ...args], {
    cwd: root,
    env: {
      HOME: home,
      PATH: [join(root, "node_modules/.bin"), dirname(process.execPath), process.env.PATH].join(delimiter),
    },
  });

async function filesUnder(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      files.sort().map(async (file) => [file.slice(folder.length), await readFile(file, "utf8")] as const),
    ),
  );
}

describe("the .proto files", () => {
  let folder: string;
  let home: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "basil-proto-"));
    home = await mkdtemp(join(tmpdir(), "basil-proto-home-"));
  });
  afterEach(async () => {
    for (const each of [folder, home]) await rm(each, { recursive: true });
  });

  it("pass buf lint", async () => {
    await expect(runBuf(["lint"], home)).resolves.toMatchObject({ stdout: "" });
  });

  it("generate exactly the code under src/gen", async () => {
    await runBuf(["generate", "--output", folder], home);
    expect(await filesUnder(join(folder, "src/gen"))).toEqual(await filesUnder(join(root, "src/gen")));
  });
});
