import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { vi } from "vitest";

/**
 * Runs the first program of a README, with the source of packages in the place of their names, in a folder of its own.
 * What the program makes in the folder for temporary files goes with it.
 *
 * @returns The arguments of every `console.log`.
 */
export async function runReadmeProgram(readme: string, sources: Readonly<Record<string, URL>>): Promise<unknown[][]> {
  let program = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  if (program === undefined) throw new Error("the README has no program");
  for (const [name, source] of Object.entries(sources)) {
    if (!program.includes(`"${name}"`)) throw new Error(`the program of the README does not import ${name}`);
    program = program.replaceAll(`"${name}"`, JSON.stringify(fileURLToPath(source)));
  }
  const folder = await mkdtemp(join(tmpdir(), "readme-"));
  const { TMPDIR } = process.env;
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  try {
    const file = join(folder, "program.ts");
    await writeFile(file, program);
    process.env.TMPDIR = folder;
    await import(/* @vite-ignore */ file);
    return log.mock.calls;
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    log.mockRestore();
    await rm(folder, { recursive: true });
  }
}
