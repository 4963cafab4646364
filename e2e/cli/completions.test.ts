import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { atTerminal, need } from "../bundle/terminal.js";
import { typed } from "./typed.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-completions-"));
  for (const shell of ["bash", "zsh", "fish"]) {
    await typed(`basil completions ${shell}`, { cwd: folder, stdoutFile: join(folder, `basil.${shell}`) });
  }
});
afterAll(() => rm(folder, { recursive: true }));

/** What is typed before Tab, and the line it becomes; the same in each shell. */
const COMPLETED = [
  ["basil pubk", "basil pubkey"],
  ["basil bundle rek", "basil bundle rekey"],
  ["basil sign --key-", "basil sign --key-id"],
  ["basil iam policy --identity prov", "basil iam policy --identity provisioner"],
  ["basil --socket x pubkey --format j", "basil --socket x pubkey --format jwk"],
] as const;

/** Types each line and Tab into an interactive shell, where `basil` is a function that tells what it was called with. */
async function tabbed(shell: string, setUp: string): Promise<string> {
  const lines = [setUp, ...COMPLETED.map(([line]) => `${line}\t`), "exit"];
  return (await atTerminal(folder, shell, /READY> /, lines)).seen;
}

describe("the completion script", () => {
  it("in bash completes what can come next", async (context) => {
    need(context, "bash", "script");
    const setUp = 'source ./basil.bash; basil() { echo "GOT <$*>"; }';
    const seen = await tabbed("env -i TERM=dumb PS1='READY> ' bash --norc -i", setUp);
    for (const [line, whole] of COMPLETED) expect(seen, line).toContain(`GOT <${whole.slice("basil ".length)}>`);
  });

  it("in zsh completes the same", async (context) => {
    need(context, "zsh", "script");
    const setUp = 'autoload -Uz compinit; compinit -u -D; source ./basil.zsh; basil() { print -r -- "GOT <$*>" }';
    const seen = await tabbed("env -i TERM=dumb PS1='READY> ' zsh -f -i", setUp);
    for (const [line, whole] of COMPLETED) expect(seen, line).toContain(`GOT <${whole.slice("basil ".length)}>`);
  });

  it("in fish offers the same, with what each is for", async (context) => {
    need(context, "fish");
    for (const [line, whole] of COMPLETED) {
      const { stdout } = await promisify(execFile)(
        "fish",
        ["--no-config", "-c", `source basil.fish; complete -C "${line}"`],
        {
          cwd: folder,
          env: { PATH: process.env.PATH, HOME: folder },
        },
      );
      const offered = stdout
        .trimEnd()
        .split("\n")
        .map((row) => row.split("\t")[0]);
      expect(offered, line).toEqual([whole.split(" ").at(-1)]);
    }
  });
});
