import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const packagesFolder = join(import.meta.dirname, "..", "packages");
const names = readdirSync(packagesFolder).sort();
const manifestOf = (name: string) => JSON.parse(readFileSync(join(packagesFolder, name, "package.json"), "utf8"));

describe("the manifest of a package", () => {
  it.for(names)("%s says what npm and its users need to know", (name) => {
    const manifest = manifestOf(name);
    expect(manifest).toMatchObject({
      name: `@basil/${name}`,
      description: expect.stringMatching(/^[A-Z].{20,}\.$/),
      license: "Apache-2.0",
      type: "module",
      sideEffects: false,
      engines: { node: expect.stringMatching(/^>=22\.1[89]$/) },
      publishConfig: { access: "public", provenance: true },
      exports: { ".": { "@basil/source": "./src/index.ts", types: "./dist/index.d.ts", default: "./dist/index.js" } },
    });
    expect(manifest.keywords.length).toBeGreaterThanOrEqual(3);
    expect(new Set(manifest.keywords).size).toBe(manifest.keywords.length);
    expect(manifest.files).toEqual(expect.arrayContaining(["CHANGELOG.md", "dist", "src", "!src/**/*.test.ts"]));
    for (const file of ["README.md", "LICENSE", "CHANGELOG.md"]) {
      expect(existsSync(join(packagesFolder, name, file)), file).toBe(true);
    }
  });

  it("has the version of all others", () => {
    expect(new Set(names.map((name) => manifestOf(name).version)).size).toBe(1);
  });
});
