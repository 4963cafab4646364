import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packAll, root } from "./pack.js";

const run = promisify(execFile);
const packages = (await readdir(join(root, "packages"))).sort();

interface PackedManifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly type: string;
  readonly engines: { readonly node: string };
  readonly publishConfig: { readonly access: string; readonly provenance: boolean };
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly files: readonly string[];
  readonly [group: `${string}ependencies`]: Readonly<Record<string, string>>;
}

describe("a packed tarball", () => {
  let folder: string;
  const manifests = new Map<string, PackedManifest>();
  const files = new Map<string, readonly string[]>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "basil-tarballs-"));
    for (const [name, tarball] of await packAll(join(folder, "tarballs"))) {
      const into = join(folder, name);
      await mkdir(into);
      await run("tar", ["-xzf", tarball, "-C", into, "--strip-components", "1"]);
      const entries = await readdir(into, { recursive: true, withFileTypes: true });
      const paths = entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(into.length + 1));
      files.set(name, paths);
      manifests.set(name, JSON.parse(await readFile(join(into, "package.json"), "utf8")) as PackedManifest);
    }
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const manifest = (name: string): PackedManifest => {
    const found = manifests.get(name);
    if (found === undefined) throw new Error(`${name} was not packed`);
    return found;
  };

  it.for(packages)("of %s depends on no path of the workspace", (name) => {
    const groups = Object.entries(manifest(name)).filter(([key]) => /dependencies$/i.test(key));
    const ranges = groups.flatMap(([, group]) => Object.entries(group as Readonly<Record<string, string>>));
    for (const [dependency, range] of ranges) {
      expect(range, dependency).toMatch(/^[\^~]?\d+\.\d+\.\d+$|^>=\d+$/);
      if (dependency.startsWith("@basil/")) expect(range, dependency).toBe(manifest(name).version);
    }
  });

  it.for(packages)("of %s says what npm has to know", (name) => {
    expect(manifest(name)).toMatchObject({
      name: `@basil/${name}`,
      description: expect.stringMatching(/\w/),
      license: "Apache-2.0",
      type: "module",
      engines: { node: expect.stringMatching(/^>=22\.1[89]$/) },
      publishConfig: { access: "public", provenance: true },
      files: expect.arrayContaining(["dist"]),
    });
  });

  it.for(packages)("of %s holds README, LICENSE, changelog, and what its exports and programs name", (name) => {
    const { exports, bin = {} } = manifest(name);
    const named = Object.entries(exports).flatMap(([path, target]) => {
      if (typeof target === "string") return [target];
      expect(Object.keys(target), path).toEqual(["@basil/source", "types", "default"]);
      return Object.values(target);
    });
    const held = ["README.md", "LICENSE", "CHANGELOG.md", ...named, ...Object.values(bin)];
    expect(files.get(name)).toEqual(expect.arrayContaining(held.map((path) => posix.normalize(path))));
  });

  it.for(packages)("of %s holds no test, no build record and no archive", (name) => {
    expect(
      files.get(name)?.filter((path) => /\.test\.|\.tsbuildinfo$|\.tgz$|(^|\/)(node_modules|\.env)/.test(path)),
    ).toEqual([]);
  });

  it.for(packages)("of %s names no path of the machine that packed it", async (name) => {
    for (const path of files.get(name) ?? []) {
      const text = await readFile(join(folder, name, path), "utf8");
      expect(text.includes(root), path).toBe(false);
      if (path.endsWith(".map")) {
        const { sources } = JSON.parse(text) as { sources: readonly string[] };
        expect(
          sources.filter((source) => /^(\/|file:|\w:)/.test(source)),
          path,
        ).toEqual([]);
      }
    }
  });
});
