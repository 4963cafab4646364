import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, Shell } from "../documents/shell.js";
import { hasProgram } from "../peers/program.js";

const page = await readFile(join(import.meta.dirname, "../../docs/bundle.md"), "utf8");
const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, text]) => text ?? "");
const methods = [...page.matchAll(/^\| [^|]+ \| `([a-z0-9]+(?:-[a-z]+)*)[:`]/gm)].map(([, method]) => method);

describe("the page on the sealed bundle", () => {
  it("lists every slot that is built", async () => {
    const { SLOT_TYPES } = await import("../../packages/bundle/src/spec.js");
    expect(methods).toEqual(SLOT_TYPES.filter((type) => type !== "tpm"));
  });
});

describe.skipIf(!hasProgram("openssl", ["version"]))("the commands of the page on the sealed bundle", () => {
  let shell: Shell;
  let answer: Answer;

  beforeAll(async () => {
    shell = await Shell.open();
    await writeFile(join(shell.folder, "page.sh"), `set -e\n${blocks.join("\n")}`);
    answer = await shell.type("sh page.sh");
  }, 180_000);
  afterAll(() => shell[Symbol.asyncDispose]());

  it("run one after the other, to a promoted deposit", () => {
    expect(answer.stderr).toBe("");
    expect(answer.exitCode).toBe(0);
    expect(answer.stdout).toMatch(/status=effective, action=replace/);
    expect(answer.stdout).toMatch(/1 deposit promoted into creds\.sealed: kms\n$/);
  });

  it("leave a bundle that the new passphrase opens and the old one does not", async () => {
    const open = (file: string) => shell.type(`basil bundle verify creds.sealed --open passphrase:file=${file}`);
    expect(await open("new-pass")).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/verified: epoch 9,/) });
    expect(await open("pass")).toMatchObject({ exitCode: 1 });
  });

  it("show the phrase once, on standard output", async () => {
    const text = await readFile(join(shell.folder, "phrase.txt"), "utf8");
    expect(text.split("\n")[1]?.split(" ")).toHaveLength(24);
  });
});
