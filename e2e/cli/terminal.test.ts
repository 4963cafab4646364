import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { atTerminal, need } from "../bundle/terminal.js";
import { program, typed } from "./typed.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-terminal-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** What a person sees of a line that asks nothing. */
async function seen(line: string, env = ""): Promise<string> {
  return (await atTerminal(folder, `env ${env} "${process.execPath}" "${program}" ${line}`, /^(?!)/, [])).seen;
}

const ESCAPE = "\u001b[";

describe("what a person at a terminal sees", () => {
  it("is coloured there, without NO_COLOR, and nowhere else", async (context) => {
    need(context, "script");
    const line = "health --socket no.sock";
    expect(await seen(line, "TERM=xterm")).toContain(`${ESCAPE}31merror:`);
    expect(await seen(line, "TERM=xterm NO_COLOR=1")).not.toContain(ESCAPE);
    expect(await seen(line, "TERM=dumb")).not.toContain(ESCAPE);
    const { stderr } = await typed("basil health --socket no.sock", { cwd: folder, env: { TERM: "xterm" } });
    expect(stderr).toContain("error: ");
    expect(stderr).not.toContain(ESCAPE);
  });

  it("tells what takes longer than a second, and then clears it; a script is told nothing", async (context) => {
    need(context, "script");
    const line = "ready --socket no.sock --wait 2.5";
    const told = await seen(line, "TERM=xterm");
    expect(told).toContain("waiting until the broker is ready … 1 s");
    expect(told.replaceAll("\r\u001b[K", "|").replaceAll(`${ESCAPE}31m`, "")).toMatch(/… [23] s\|error:/);
    const { stderr } = await typed(`basil ${line}`, { cwd: folder, env: { TERM: "xterm" } });
    expect(stderr).not.toContain("waiting");
  });

  it.for([
    ["bundle set-backend absent --backend id=k,type=aws-kms,region=us-east-1", "absent does not exist"],
    ["bundle verify absent", "absent does not exist"],
    ["bundle add-slot absent --slot bip39", "absent does not exist"],
    ["bundle set-backend absent --backend id=k,type=aws-kms", "aws-kms needs region="],
    ["bundle create there --slot passphrase:prompt=true", "there exists already"],
    ["bundle create new --slot passphrase:prompt=true --backend id=k,type=aws-kms", "aws-kms needs region="],
  ] as const)("is asked for no secret when %s cannot go on", async ([line, what], context) => {
    need(context, "script");
    await writeFile(join(folder, "there"), "");
    const told = await seen(line.startsWith("bundle create") ? line : `${line} --open passphrase:prompt=true`);
    expect(told).toContain(what);
    expect(told).not.toMatch(/passphrase[^:]*: $/m);
  });
});
