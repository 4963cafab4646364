import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { inputShapes, unbuiltOperations } from "./kms/input-shapes.js";
import { keySpecs } from "./kms/key-spec.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const read = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8");

/** The names of a sentence that starts with `lead`. */
function named(lead: string): string[] {
  const sentence = readme.slice(readme.indexOf(lead) + lead.length).split(/\.\s/)[0] ?? "";
  return sentence.split(/[\s,]+/).filter((word) => /^[A-Z]/.test(word));
}

describe("README", () => {
  it("lists the operations that are built and those that are not", () => {
    expect(named("Built:").sort()).toEqual(Object.keys(inputShapes).sort());
    expect(named("answering `UnsupportedOperationException`:").sort()).toEqual([...unbuiltOperations].sort());
    expect(named("Key specs:")).toEqual([...keySpecs]);
  });

  it("lists every error code", () => {
    const inReadme = [...readme.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code);
    const inSource = [...read("./errors.ts").matchAll(/^ {2}([A-Z_]+): \{/gm)].map(([, code]) => code);
    expect(inReadme).toEqual(inSource);
  });

  it("lists every option", () => {
    const options = read("./options.ts").split("interface KmsEmulatorOptions")[1]?.split("\n}")[0] ?? "";
    const names = [...options.matchAll(/^ {2}readonly (\w+)\?/gm)].map(([, name]) => name);
    const table = readme.split("## Options of `startKmsEmulator`")[1]?.split("\n## ")[0] ?? "";
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) expect(table).toContain(`\`${name}\``);
  });
});
