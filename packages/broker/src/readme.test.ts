import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLIENT_ERROR_CODES } from "@basil/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { testCatalog, testPolicy } from "../test/documents.js";
import { memoryBackend } from "../test/memory-backend.js";
import { createBroker } from "./broker.js";
import { BROKER_ERROR_CODES } from "./errors.js";

const packages = join(import.meta.dirname, "..", "..");
const readme = (name: string) => readFile(join(packages, name, "README.md"), "utf8");
const block = (text: string, language: string) => new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(text)?.[1] ?? "";

let folder: string;
beforeEach(async () => {
  // Beside the package, so that its imports are found as an installed program's are.
  folder = await mkdtemp(join(packages, "broker", "node_modules", ".readme-"));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

/** Runs the first program of a README, and gives what it printed. */
async function run(name: string): Promise<{ printed: string; promised: string }> {
  const text = await readme(name);
  const program = join(folder, "program.ts");
  await writeFile(program, block(text, "ts"));
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((...values) => void lines.push(`${values.join(" ")}\n`));
  await import(program);
  return { printed: lines.join(""), promised: block(text, "text") };
}

describe("the README of", () => {
  it.for(["broker", "proto"])("%s begins with a program that prints what it says", async (name) => {
    const { printed, promised } = await run(name);
    expect(printed).toBe(promised);
  });

  it("client begins with a program that prints what it says", async () => {
    const socket = await mkdtemp(join(tmpdir(), "basil-readme-"));
    const { keys } = testCatalog();
    const catalog = testCatalog(({ keys: entries }) => {
      Object.assign(entries, { "web.tls.signing_key": { ...entries["app.p256"], path: "alias/web" } });
    });
    expect(keys.size + 1).toBe(catalog.keys.size);
    const policy = testPolicy(({ rules }) => rules[0]?.target.push("web.**"));
    await using broker = await createBroker({ catalog, policy, backends: [memoryBackend()] });
    await broker.listen({ path: join(socket, "s") });
    vi.spyOn(process, "argv", "get").mockReturnValue(["node", "program", join(socket, "s")]);
    const { printed, promised } = await run("client");
    expect(printed).toBe(promised);
    await rm(socket, { recursive: true });
  });

  it.for([
    ["broker", BROKER_ERROR_CODES],
    ["client", CLIENT_ERROR_CODES],
  ] as const)("%s lists every error code", async ([name, codes]) => {
    const text = await readme(name);
    expect(codes.filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
  });
});
