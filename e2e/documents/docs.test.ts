import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { KEY_TYPES_OF_CLASS } from "@basil/catalog";
import { LINT_CODES, OPERATIONS, STAR_OPERATIONS, WRITE_OPERATIONS } from "@basil/policy";
import { describe, expect, it } from "vitest";
import { Shell } from "./shell.js";

const page = await readFile(join(import.meta.dirname, "../../docs/policy-and-catalog.md"), "utf8");

/** The rows of the table under a header that begins so, as cells. */
function table(header: string): string[][] {
  const [, rows = ""] = page.split(`\n| ${header}`);
  const lines = rows.split("\n").slice(2);
  const end = lines.findIndex((line) => !line.startsWith("|"));
  return lines.slice(0, end).map((line) => line.split("|").map((cell) => cell.trim().replaceAll("`", "")));
}

describe("docs/policy-and-catalog.md", () => {
  // `vitest run e2e/documents -u` writes what the commands print into the page.
  it("shows what the commands print", { timeout: 120_000 }, async () => {
    await using shell = await Shell.open();
    let lines = 0;
    let rendered = "";
    let rest = page;
    for (let block = nextBlock(rest); block !== undefined; block = nextBlock(rest)) {
      const { language, title, text, start, end } = block;
      rendered += rest.slice(0, start);
      if (language === "json") {
        if (title === undefined) throw new Error(`a document without a name:\n${text}`);
        await shell.write(title, text);
        rendered += text;
      } else {
        for (const line of text.split("\n").filter((each) => each.startsWith("$ "))) {
          // One stream, so that what a program writes to both keeps its order.
          const { stdout } = await shell.type(`{ ${line.slice(2)}\n} 2>&1`);
          rendered += `${line}\n${stdout.replaceAll(shell.folder, "/etc/basil")}`;
          lines += 1;
        }
      }
      rest = rest.slice(end);
    }
    expect(lines).toBeGreaterThan(15);
    await expect(rendered + rest).toMatchFileSnapshot("../../docs/policy-and-catalog.md");
  });

  it("has every operation, as the code has it", () => {
    const rows = table("Operation | In `*`").map(([, operation, star, writes]) => [operation, star, writes]);
    expect(rows).toEqual(
      OPERATIONS.map((operation) => [
        operation,
        STAR_OPERATIONS.includes(operation) ? "yes" : "",
        WRITE_OPERATIONS.some((write) => write === operation) ? "yes" : "",
      ]),
    );
  });

  it("has every lint code and its severity, as the code has them", () => {
    const rows = table("Code | Severity").map(([, code, severity]) => [code, severity]);
    expect(rows).toEqual(Object.entries(LINT_CODES));
  });

  it("has every class and its key types, as the code has them", () => {
    const rows = table("Class | Key types").map(([, name, types]) => [name, types?.split(", ")]);
    for (const entry of Object.entries(KEY_TYPES_OF_CLASS)) expect(rows).toContainEqual(entry);
  });
});

interface Block {
  readonly language: "json" | "console";
  /** The name in backquotes that stands above the block. */
  readonly title: string | undefined;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

function nextBlock(text: string): Block | undefined {
  const found = /(?:`([\w.-]+)`:\n\n)?```(json|console)\n([\s\S]*?)```\n/d.exec(text);
  if (found === null) return undefined;
  const [, title, language, content = ""] = found;
  const [start = 0, end = 0] = found.indices?.[3] ?? [];
  return { language: language as Block["language"], title, text: content, start, end };
}
