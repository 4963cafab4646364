import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const packagesFolder = join(import.meta.dirname, "..", "packages");
const packages = readdirSync(packagesFolder).sort();

/** Libraries throw; a protocol and a program tell their failures otherwise and say so under a heading of that. */
const FAILURES: Readonly<Record<string, string>> = { proto: "## Read an error" };

describe("the README of a package", () => {
  it.for(packages)(
    "%s says in order what it is, what it is not, how to install it, and its limits at the end",
    (name) => {
      const text = readFileSync(join(packagesFolder, name, "README.md"), "utf8");
      const headings = text.replace(/^```[\s\S]*?^```$/gm, "").match(/^## .*$/gm) ?? [];
      const introduction = text.slice(0, text.search(/^(```|## )/m));
      expect(text.startsWith(`# @basil/${name}\n\n`)).toBe(true);
      expect(introduction).toMatch(/\b(no|not|none|nothing)\b/);
      const install = text.search(new RegExp(`^npm install .*@basil/${name}\\b`, "m"));
      expect(install).toBeGreaterThan(0);
      if (name !== "cli") expect(text.indexOf("```ts")).toBeGreaterThan(install);
      expect(headings).toContain(FAILURES[name] ?? "## Errors");
      expect(headings.at(-1)).toBe("## Limits");
    },
  );
});
