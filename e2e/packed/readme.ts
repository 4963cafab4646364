import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./pack.js";

export interface ReadmeProgram {
  /** Its file, without the extension. */
  readonly name: string;
  readonly text: string;
  /** What the README says it prints: the `text` block that follows it. */
  readonly prints: string | undefined;
  /** A test file of vitest, and not a program of its own. */
  readonly isTest: boolean;
}

export interface Readme {
  /** Packages that its install lines name. */
  readonly installs: readonly string[];
  /** Whole programs: the TypeScript blocks that import something. */
  readonly programs: readonly ReadmeProgram[];
  /** The other TypeScript blocks, which go on from the first program. */
  readonly fragments: readonly string[];
  /** What it shows of a terminal, line by line. */
  readonly terminal: readonly string[];
}

/** Takes the README of a folder apart. */
export async function readReadme(folder: string): Promise<Readme> {
  const text = await readFile(join(root, folder, "README.md"), "utf8");
  const blocks = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = "", body = ""]) => ({
    language,
    body,
  }));
  const installs = blocks.flatMap(({ language, body }) =>
    language === "sh" ? [...body.matchAll(/^npm install (.*)$/gm)].flatMap(([, names = ""]) => names.split(" ")) : [],
  );
  const programs: ReadmeProgram[] = [];
  const fragments: string[] = [];
  for (const [index, { language, body }] of blocks.entries()) {
    if (language !== "ts") continue;
    if (!/^import /m.test(body)) {
      fragments.push(body);
      continue;
    }
    const next = blocks[index + 1];
    programs.push({
      name: `program-${programs.length + 1}`,
      text: body,
      prints: next?.language === "text" ? next.body : undefined,
      isTest: /from "(vitest|[^"]+\/vitest)"/.test(body),
    });
  }
  const terminal = blocks.filter(({ language, body }) => language === "text" && body.startsWith("$ "));
  return {
    installs: [...new Set(installs.filter((name) => !name.startsWith("-")))],
    programs,
    fragments,
    terminal: terminal.flatMap(({ body }) => body.trimEnd().split("\n")),
  };
}

/** The same program with `require` in the place of `import`; for lack of a top-level await, inside a function. */
export function asCommonJs(program: string): string {
  const importing = /^import (\{[^}]*\}) from ("[^"]+");.*\n/gm;
  const requires = [...program.matchAll(importing)].map(([, names = "", specifier]) => {
    const values = names.replace(/\btype \w+,? ?/g, "").replaceAll(" as ", ": ");
    return `const ${values} = require(${specifier});`;
  });
  const rest = program.replace(importing, "");
  if (/^import /m.test(rest)) throw new Error(`an import of another form:\n${program}`);
  return `${requires.join("\n")}\n(async () => {\n${rest}})();\n`;
}
