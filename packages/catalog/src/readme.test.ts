import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runReadmeProgram } from "../../../tests/readme-program.js";
import { CATALOG_REFUSAL_CODES } from "./errors.js";
import { parseCatalog } from "./parse-catalog.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

describe("README", () => {
  it("holds a whole program that runs", async () => {
    const logged = await runReadmeProgram(readme, { "@basil/catalog": new URL("index.ts", import.meta.url) });
    expect(logged).toEqual([["Json", "/keys/jwt.signing/keyType", "ecdsa-p256"], ["transit"]]);
  });

  it("holds a document that loads", () => {
    const document = /```json\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    expect(parseCatalog(document).keys.size).toBe(0);
  });

  it("lists every refusal, and no other", () => {
    const errors = readme.slice(readme.indexOf("## Errors"), readme.indexOf("## Limits"));
    const listed = [...errors.matchAll(/^\| `([A-Za-z0-9]+)` +\|/gm)].map(([, code]) => code);
    expect(listed).toEqual([...CATALOG_REFUSAL_CODES]);
  });
});
