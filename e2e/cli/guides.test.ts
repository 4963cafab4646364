import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, Shell } from "../documents/shell.js";
import { freePort } from "../free-port.js";

const page = (name: string): Promise<string> => readFile(join(import.meta.dirname, "../../docs", name), "utf8");
const quickstart = await page("quickstart.md");
const troubleshooting = await page("troubleshooting.md");

const blocks = [...quickstart.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text]) => text ?? "");
/** What stands between backquotes and is a whole command line. */
const commands = [...troubleshooting.matchAll(/`(basil [a-z][^`]*)`/g)].map(([, text]) => text ?? "");

/** The text of a document as it is typed, with one difference: a port that is free here. */
describe("the guides", { timeout: 120_000 }, () => {
  let shell: Shell;
  let answer: Answer;
  const results = new Map<string, number>();

  beforeAll(async () => {
    shell = await Shell.open();
    const end = blocks.at(-1) ?? "";
    const inBetween = [...new Set(commands)].map(
      (line, at) => `code=0; ${line} > out.${at} 2>&1 || code=$?; echo "ran ${at} $code"`,
    );
    const script = [...blocks.slice(0, -1), ...inBetween, end].join("\n").replaceAll("4599", String(await freePort()));
    // Whatever fails, nothing is left running.
    answer = await shell.type(`set -e\ntrap 'kill $agent $emulator 2> kill.log || true' EXIT\n${script}`);
    for (const [, at, code] of answer.stdout.matchAll(/^ran (\d+) (\d+)$/gm)) {
      results.set([...new Set(commands)][Number(at)] ?? "", Number(code));
    }
  }, 120_000);
  afterAll(() => shell[Symbol.asyncDispose]());

  it("the quickstart's blocks run one after the other, to a verified signature and a proof", async () => {
    expect(answer.stderr).toBe("");
    expect(answer.exitCode).toBe(0);
    expect(blocks).toHaveLength(6);
    expect(answer.stdout).toMatch(/example\.signing_key/);
    expect(answer.stdout).toMatch(/\[OK {3}\] live:primary: /);
    expect(answer.stdout).toMatch(/result: OK/);
    expect(await readFile(join(shell.folder, "key.pem"), "utf8")).toMatch(/^-----BEGIN PUBLIC KEY-----/);
  });

  it("every command of the troubleshooting page does what it says on a deployment in order", () => {
    expect(commands.length).toBeGreaterThan(6);
    expect(Object.fromEntries(results)).toEqual(Object.fromEntries(commands.map((line) => [line, 0])));
  });

  it("the troubleshooting page gives the exit codes that the program has", async () => {
    const { exitCodeOf } = await import("../../packages/cli/src/exit-code.js");
    const listed = [...troubleshooting.matchAll(/^\| `([A-Z_]+)` \| (\d) \|/gm)].map(([, code, exit]) => [
      code,
      Number(exit),
    ]);
    for (const code of ["UNREACHABLE", "DOCUMENT_REFUSED", "PACKAGE_MISSING", "USAGE"] as const) {
      expect(listed).toContainEqual([code, exitCodeOf(code)]);
    }
  });

  it("the troubleshooting page explains each code that a command ends in, and no other", async () => {
    const client = await readFile(join(import.meta.dirname, "../../packages/client/src/errors.ts"), "utf8");
    const details = client.slice(client.indexOf("export interface ClientErrorDetails"), client.indexOf("\n}\n"));
    const codes = [...details.matchAll(/^ {2}([A-Z_]+):/gm)].map(([, code = ""]) => code);
    expect(codes.length).toBeGreaterThan(20);
    // What only programs see, and what waits for sealed invocation.
    const elsewhere = /^(CLOSED|PROTOCOL|INVOCATION_.*)$/;
    const [table = ""] = troubleshooting.split("\n## ");
    const listed = [...table.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code = ""]) => code);
    const ownCodes = ["DOCUMENT_REFUSED", "PACKAGE_MISSING", "PLUGIN_REFUSED", "USAGE"];
    expect(listed.toSorted()).toEqual([...codes.filter((code) => !elsewhere.test(code)), ...ownCodes].toSorted());
  });
});
