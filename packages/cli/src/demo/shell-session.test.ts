import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ShellSession } from "./shell-session.js";

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "basil-shell-"));
});
afterEach(() => rm(cwd, { recursive: true }));

const open = (signal = new AbortController().signal) =>
  new ShellSession({ cwd, env: { PATH: process.env.PATH, GREETING: "hello" }, signal });

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe("ShellSession", () => {
  it("tells standard output, standard error and exit code of each line apart", async () => {
    await using shell = open();
    expect(await shell.type("echo out; echo err >&2; (exit 3)")).toEqual({
      line: "echo out; echo err >&2; (exit 3)",
      stdout: "out\n",
      stderr: "err\n",
      exitCode: 3,
    });
    expect(await shell.type("printf 'no newline'")).toMatchObject({ stdout: "no newline", stderr: "", exitCode: 0 });
  });

  it("has the environment it was given and no other", async () => {
    await using shell = open();
    expect((await shell.type('echo "$GREETING"')).stdout).toBe("hello\n");
    expect((await shell.type("env")).stdout).not.toMatch(/^(HOME|NODE_|npm_|VITEST)/m);
  });

  it("keeps variables and background jobs from line to line", async () => {
    await using shell = open();
    await shell.type("sleep 600 >/dev/null 2>&1 &");
    const pid = Number((await shell.type("sleep 0.1; echo $!")).stdout);
    expect(isAlive(pid)).toBe(true);
    expect((await shell.type("kill $!; wait $!")).exitCode).toBe(143);
    expect(isAlive(pid)).toBe(false);
  });

  it("gives a line no input", async () => {
    await using shell = open();
    expect((await shell.type("cat")).stdout).toBe("");
  });

  it("stops what it started when it is disposed of", async () => {
    const shell = open();
    await shell.type("sleep 600 >/dev/null 2>&1 &");
    const pid = Number((await shell.type("echo $!")).stdout);
    await shell[Symbol.asyncDispose]();
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it("lets what it started finish in its own way", async () => {
    const shell = open();
    const written = (name: string) => readFile(join(cwd, name), "utf8").catch(() => "");
    const program = 'trap "echo bye > ended; exit 0" TERM; echo set > trap; sleep 600 & wait';
    await shell.type(`sh -c '${program}' >/dev/null 2>&1 &`);
    await expect.poll(() => written("trap"), { timeout: 10_000 }).toBe("set\n");
    await shell[Symbol.asyncDispose]();
    await expect.poll(() => written("ended"), { timeout: 10_000 }).toBe("bye\n");
  });

  it("gives up a line when it is aborted", async () => {
    const controller = new AbortController();
    await using shell = open(controller.signal);
    const line = shell.type("sleep 600");
    controller.abort();
    await expect(line).rejects.toThrow("interrupted: sleep 600");
  });

  it("fails a line that ends the shell", async () => {
    await using shell = open();
    await expect(shell.type("exit 7")).rejects.toThrow("the shell ended: exit 7");
  });
});
