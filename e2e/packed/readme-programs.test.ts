import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { entryPoints } from "../../docs/reference/entry-points.ts";
import { installWithNpm, installWithPnpm } from "./install.js";
import { packAll, root } from "./pack.js";
import { asCommonJs, type Readme, type ReadmeProgram, readReadme } from "./readme.js";
import { context } from "./readme-context.js";

const run = promisify(execFile);
const packages = (await readdir(join(root, "packages"))).sort();
const readmes = new Map<string, Readme>();
for (const name of packages) readmes.set(name, await readReadme(join("packages", name)));

const rootReadme = await readReadme(".");

/** Every program of every README, as rows for a table of tests. */
const programs = packages.flatMap((name) =>
  (readmes.get(name)?.programs ?? []).map((program) => ({ name, program, title: `@basil/${name}, ${program.name}` })),
);
const plain = programs.filter(({ program }) => !program.isTest);
const tests = programs.filter(({ program }) => program.isTest);

describe("README programs from packed tarballs", () => {
  let folder: string;
  let withNpm: string;
  let withPnpm: string;
  let server: ChildProcess;
  let env: Record<string, string>;

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "basil-readmes-")));
    [withNpm, withPnpm] = [join(folder, "npm"), join(folder, "pnpm")];
    const tarballs = await packAll(join(folder, "tarballs"));
    const wanted = new Map([...readmes].map(([name, { installs }]) => [name, installs]));
    const others = [...new Set([...wanted.values()].flat())].filter((name) => !name.startsWith("@basil/"));
    await Promise.all([
      installWithNpm(withNpm, tarballs, { others: [...others, "@types/node"] }),
      installWithPnpm(withPnpm, wanted, tarballs),
    ]);
    for (const { name, program } of programs) {
      await mkdir(join(withNpm, name), { recursive: true });
      const extension = program.isTest ? "test.ts" : "ts";
      await writeFile(join(withNpm, name, `${program.name}.${extension}`), program.text);
      await writeFile(join(withPnpm, name, `${program.name}.${extension}`), program.text);
      if (program.isTest) continue;
      await writeFile(join(withNpm, name, `${program.name}.cts`), asCommonJs(program.text));
      await writeFile(join(withPnpm, name, `${program.name}.cts`), asCommonJs(program.text));
    }
    for (const [name, { fragments }] of readmes) {
      const texts = fragments.map((text) => `${context[name] ?? ""}\n{\n${text}}\nexport {};\n`);
      for (const [n, text] of texts.entries()) await writeFile(join(withNpm, name, `fragment-${n + 1}.ts`), text);
    }
    await mkdir(join(withNpm, "root"));
    for (const [n, { text }] of rootReadme.programs.entries()) {
      await writeFile(join(withNpm, "root", `program-${n + 1}.ts`), `${context.root ?? ""}\n${text}`);
    }
    await copyFile(join(import.meta.dirname, "serve.ts"), join(withNpm, "serve.ts"));
    const environment = { PATH: process.env.PATH ?? "", HOME: folder, AWS_EC2_METADATA_DISABLED: "true" };
    server = spawn(process.execPath, ["serve.ts", join(folder, "agent.sock")], {
      cwd: withNpm,
      env: environment,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(createInterface({ input: server.stdout as NodeJS.ReadableStream }), "line")) as [string];
    env = { ...environment, ...(JSON.parse(line) as Record<string, string>) };
  }, 240_000);

  afterAll(async () => {
    if (server?.exitCode === null) {
      server.kill();
      await once(server, "close");
    }
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs a program; answers what it printed. Its only argument is the socket of a broker. */
  const runs = async (place: string, name: string, file: string): Promise<string> => {
    const { stdout, stderr } = await run(process.execPath, [file, join(folder, "agent.sock")], {
      cwd: join(place, name),
      env,
    });
    expect(stderr).toBe("");
    return stdout;
  };
  const prints = ({ prints: answer }: ReadmeProgram) => {
    if (answer === undefined) throw new Error("the README does not say what the program prints");
    return answer;
  };

  it.for(packages)("@basil/%s has one, and an install line", (name) => {
    expect(readmes.get(name)?.installs).toContain(`@basil/${name}`);
    if (name !== "cli") expect(readmes.get(name)?.programs.length).toBeGreaterThan(0);
  });

  it("has types that TypeScript accepts, fragments included", async () => {
    const compilerOptions = {
      target: "ES2024",
      module: "NodeNext",
      lib: ["ES2024", "ESNext.Disposable"],
      types: ["node"],
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: false,
    };
    await writeFile(join(withNpm, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*/*.ts"] }));
    const tsc = join(root, "node_modules", ".bin", "tsc");
    const { stdout } = await run(tsc, ["-p", withNpm, "--pretty", "false"]).catch((error: unknown) => {
      throw new Error((error as { stdout: string }).stdout);
    });
    expect(stdout).toBe("");
  });

  it("has a program that runs the whole product", async () => {
    const basil = (place: string, ...args: string[]) =>
      run(join(place, "node_modules", ".bin", "basil"), args, { env, cwd: folder });
    for (const place of [withNpm, join(withPnpm, "cli")]) {
      expect((await basil(place, "--version")).stdout).toMatch(/^basil \d+\.\d+\.\d+\n$/);
    }
    const { AWS_ENDPOINT_URL_KMS: _, ...clean } = env;
    const { stdout } = await run(join(withNpm, "node_modules", ".bin", "basil"), ["demo"], { env: clean, cwd: folder });
    expect(rootReadme.terminal.length).toBeGreaterThan(4);
    for (const line of rootReadme.terminal) {
      const known = /^[0-9a-f]+…$/.test(line) ? /^[0-9a-f]{128}$/m : line;
      expect(stdout).toEqual(known instanceof RegExp ? expect.stringMatching(known) : expect.stringContaining(known));
    }
  }, 120_000);

  it("gives the same names to import and to require", async () => {
    const specifiers = entryPoints().map(({ specifier }) => specifier);
    expect(specifiers.length).toBeGreaterThanOrEqual(packages.length);
    const program = `
      import { createRequire } from "node:module";
      const require = createRequire(import.meta.url);
      for (const specifier of process.argv.slice(2)) {
        const [imported, required] = [Object.keys(await import(specifier)), Object.keys(require(specifier))];
        console.log(specifier, imported.length > 0 && String(imported.sort()) === String(required.sort()));
      }`;
    await writeFile(join(withNpm, "names.js"), program);
    const { stdout } = await run(process.execPath, ["names.js", ...specifiers], { cwd: withNpm, env });
    expect(stdout).toBe(specifiers.map((specifier) => `${specifier} true\n`).join(""));
  });

  describe("installed with npm", () => {
    it.for(plain)("$title runs by import", async ({ name, program }) => {
      expect(await runs(withNpm, name, `${program.name}.ts`)).toBe(prints(program));
    });

    it.for(plain)("$title runs by require", async ({ name, program }) => {
      expect(await runs(withNpm, name, `${program.name}.cts`)).toBe(prints(program));
    });

    it.for(tests)("$title passes as a test of vitest", async ({ name, program }) => {
      const vitest = join(withNpm, "node_modules", "vitest", "vitest.mjs");
      const args = [vitest, "run", "--reporter=tap-flat", `${program.name}.test.ts`];
      const { stdout } = await run(process.execPath, args, { cwd: join(withNpm, name), env, maxBuffer: 16 << 20 });
      expect(stdout).toMatch(/^ok 1 /m);
      expect(stdout).not.toMatch(/^not ok/m);
    });
  });

  describe("installed with pnpm and overrides, with no more than the README's install lines", () => {
    it.for(plain)("$title runs by import", async ({ name, program }) => {
      expect(await runs(withPnpm, name, `${program.name}.ts`)).toBe(prints(program));
    });

    it.for(plain)("$title runs by require", async ({ name, program }) => {
      expect(await runs(withPnpm, name, `${program.name}.cts`)).toBe(prints(program));
    });
  });
});
