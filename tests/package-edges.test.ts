import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

/**
 * The table of allowed edges: what each package may know of ours at run time. docs/architecture.md draws the same.
 * A package that is planned and not yet there has its line too, so that its place is decided before its code is.
 */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  catalog: [],
  core: ["catalog"],
  policy: ["catalog"],
  bundle: [],
  proto: [],
  "grpc-wire": [],
  "backend-conformance": ["core"],
  "backend-aws-kms": ["core"],
  "backend-keystore": ["core"],
  "aws-kms-emulator": [],
  broker: ["catalog", "core", "policy", "bundle", "proto", "grpc-wire"],
  client: ["proto", "core"],
  cli: [
    "catalog",
    "core",
    "policy",
    "bundle",
    "proto",
    "grpc-wire",
    "backend-conformance",
    "backend-aws-kms",
    "backend-keystore",
    "aws-kms-emulator",
    "broker",
    "client",
  ],
};

/** What only tests of a package may use besides: peers to prove it against, never part of what is published. */
const ALLOWED_IN_TESTS: Readonly<Record<string, readonly string[]>> = {
  "backend-aws-kms": ["aws-kms-emulator", "backend-conformance", "bundle"],
  broker: ["client"],
};

const packagesFolder = join(import.meta.dirname, "..", "packages");
const packages = readdirSync(packagesFolder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const readJson = (...path: string[]): unknown => JSON.parse(readFileSync(join(packagesFolder, ...path), "utf8"));
const ours = (dependencies: Readonly<Record<string, string>> = {}): string[] =>
  Object.keys(dependencies)
    .filter((name) => name.startsWith("@basil/"))
    .map((name) => name.slice("@basil/".length))
    .sort();

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Specifiers of every static and dynamic import and re-export in a file. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']/g)].map((match) => match[1] ?? "");
}

describe("package edges", () => {
  it.for(packages)("%s is in the table", (name) => {
    expect(Object.keys(ALLOWED)).toContain(name);
    expect((readJson(name, "package.json") as Manifest).name).toBe(`@basil/${name}`);
  });

  it.for(packages)("%s depends on nothing of ours that the table does not allow", (name) => {
    const manifest = readJson(name, "package.json") as Manifest;
    const atRunTime = [
      ...ours(manifest.dependencies),
      ...ours(manifest.optionalDependencies),
      ...ours(manifest.peerDependencies),
    ];
    expect(ALLOWED[name]).toEqual(expect.arrayContaining(atRunTime));
    const inTests = [...(ALLOWED[name] ?? []), ...(ALLOWED_IN_TESTS[name] ?? [])];
    expect(inTests).toEqual(expect.arrayContaining(ours(manifest.devDependencies)));
  });

  it.for(packages)("%s repeats its edges as project references", (name) => {
    const manifest = readJson(name, "package.json") as Manifest;
    const edges = [...ours(manifest.dependencies), ...ours(manifest.optionalDependencies)];
    const config = readJson(name, "tsconfig.json") as { references?: { path: string }[] };
    expect((config.references ?? []).map(({ path }) => path.replace("../", "")).sort()).toEqual(edges.sort());
  });

  it.for(packages)("%s imports only what its package.json lists, and never another package's insides", (name) => {
    const manifest = readJson(name, "package.json") as Manifest;
    const declared = new Set([
      ...ours(manifest.dependencies),
      ...ours(manifest.optionalDependencies),
      ...ours(manifest.peerDependencies),
    ]);
    const inTests = new Set([...declared, ...ours(manifest.devDependencies), name]);
    for (const file of sourceFiles(join(packagesFolder, name, "src"))) {
      const allowed = file.endsWith(".test.ts") ? inTests : declared;
      for (const specifier of importsOf(file)) {
        if (!specifier.startsWith("@basil/")) continue;
        const [, target = "", ...inside] = specifier.split("/");
        expect([...allowed], `${file} imports ${specifier}`).toContain(target);
        expect(inside.join("/"), `${file} reaches into ${specifier}`).not.toMatch(/^(src|dist)/);
      }
    }
  });

  it("leaves @aws-sdk to backend-aws-kms", () => {
    for (const name of packages.filter((other) => other !== "backend-aws-kms")) {
      for (const file of sourceFiles(join(packagesFolder, name, "src")).filter((path) => !path.endsWith(".test.ts"))) {
        expect(
          importsOf(file).filter((specifier) => specifier.startsWith("@aws-sdk/")),
          file,
        ).toEqual([]);
      }
    }
  });
});
