import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const text = readFileSync(join(root, "docs", "dependencies.md"), "utf8");
/** Names in the first column of the tables; a cell may hold several. */
const listed = new Set(
  [...text.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell = ""]) => cell.split(",").map((name) => name.trim())),
);

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const manifests = ["package.json", join("docs", "package.json")].concat(
  readdirSync(join(root, "packages")).map((name) => join("packages", name, "package.json")),
);

describe("docs/dependencies.md", () => {
  it.for(manifests)("gives a reason for every dependency of %s", (path) => {
    const manifest = JSON.parse(readFileSync(join(root, path), "utf8")) as Manifest;
    const names = [
      manifest.dependencies,
      manifest.optionalDependencies,
      manifest.peerDependencies,
      manifest.devDependencies,
    ].flatMap((group) => Object.keys(group ?? {}));
    const unexplained = names.filter(
      (name) => !name.startsWith("@basil/") && !name.startsWith("@types/") && !listed.has(name),
    );
    expect(unexplained).toEqual([]);
  });
});
