import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type Client, openStream, sealStream } from "@basil/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { atTerminal, need } from "../bundle/terminal.js";
import { Shell } from "../documents/shell.js";
import type { Stack } from "../stack.js";
import { collect, content, KEY, type SealingStack, startSealingStack } from "./sealing-stack.js";
import { program } from "./typed.js";

let started: SealingStack;
let stack: Stack;
let client: Client;
let folder: string;
beforeAll(async () => {
  started = await startSealingStack();
  ({ stack, client, folder } = started);
}, 120_000);
afterAll(() => started?.[Symbol.asyncDispose]());
const type: SealingStack["type"] = (line, options) => started.type(line, options);
const sealed: SealingStack["sealed"] = (options) => started.sealed(options);
const done = { exitCode: 0, stdout: "", stderr: "" };

describe("a sealed file", () => {
  it("of the command line opens with the library", async () => {
    expect(await type(`basil seal ${KEY} --file plain -o by-cli --aad order-7`)).toMatchObject(done);
    expect((await stat(join(folder, "by-cli"))).mode & 0o777).toBe(0o600);
    const aad = new TextEncoder().encode("order-7");
    const opened = await openStream(client, createReadStream(join(folder, "by-cli")), { aad, keyId: KEY });
    expect((await collect(opened)).equals(content)).toBe(true);
    await expect(openStream(client, createReadStream(join(folder, "by-cli")))).rejects.toMatchObject({
      code: "DECRYPT_FAILED",
    });
  });

  it("of the library opens with the command line", async () => {
    await writeFile(join(folder, "by-library"), await sealed({ aad: new Uint8Array() }));
    expect(await type("basil open --file by-library --aad-hex= -o opened")).toMatchObject(done);
    expect((await readFile(join(folder, "opened"))).equals(content)).toBe(true);
    expect((await stat(join(folder, "opened"))).mode & 0o777).toBe(0o600);
  });

  it("goes through standard input and output, summed up on standard error", async () => {
    const [there, back] = [join(folder, "there"), join(folder, "back")];
    expect(await type(`basil seal ${KEY} --json`, { stdin: content, stdoutFile: there })).toMatchObject({
      exitCode: 0,
      stderr: `{"bytes":${(await sealed()).length},"key_id":"${KEY}"}\n`,
    });
    expect(await type("basil open --json", { stdin: await readFile(there), stdoutFile: back })).toMatchObject({
      exitCode: 0,
      stderr: `{"bytes":${content.length},"key_id":"${KEY}"}\n`,
    });
    expect((await readFile(back)).equals(content)).toBe(true);
    expect(await type("basil open --file there -o back --json")).toMatchObject({
      exitCode: 0,
      stdout: `{"bytes":${content.length},"key_id":"${KEY}","out_file":"back"}\n`,
      stderr: "",
    });
  });

  it("opens under the policy of its key, and exits as any call does", async () => {
    const only = await collect(await sealStream(client, "sealed.only", content));
    expect(await type("basil open -o no", { stdin: only })).toMatchObject({ exitCode: 4 });
    expect(await type("basil open --key-id other.aead -o no", { stdin: await sealed() })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(`sealed with key ${KEY}, not other.aead (SEALED_KEY_UNEXPECTED)`),
    });
    expect(await type("basil seal no.such.key -o no", { stdin: content })).toMatchObject({ exitCode: 4 });
    expect(await type(`basil seal ${KEY} -r age1x -o no`, { stdin: content })).toMatchObject({ exitCode: 2 });
    expect(await type(`basil seal ${KEY} -o no`, { env: { BASIL_SOCKET: "nowhere" } })).toMatchObject({ exitCode: 3 });
    expect(await readdir(folder)).not.toContain("no");
  });
});

describe("docs/seal-format.md", () => {
  it("shows commands that run, and a header as it is written", async () => {
    const page = await readFile(join(import.meta.dirname, "../../docs/seal-format.md"), "utf8");
    const [, commands = ""] = /```sh\n([\s\S]*?)```/.exec(page) ?? [];
    await using shell = await Shell.open({ "backup.tar": content });
    const script = commands.replace("-o backup.tar ", "-o again.tar ");
    expect(script).toContain("again.tar");
    const { exitCode, screen } = await shell.type(`set -e\n${script}`, stack.env);
    expect({ exitCode, screen }).toEqual({ exitCode: 0, screen: "" });
    expect((await readFile(join(shell.folder, "again.tar"))).equals(content)).toBe(true);
    const written = (await readFile(join(shell.folder, "backup.tar.sealed"), "latin1")).split("\n");
    const [, shown = ""] = /```text\n(age-encryption[\s\S]*?)```/.exec(page) ?? [];
    expect(shown.split("\n").slice(0, 2)).toEqual(written.slice(0, 2));
    expect(written[2]).toMatch(/^[A-Za-z0-9+/]{64}$/);
  });
});

describe("basil seal and basil open", () => {
  it.for([
    ["open", "SIGINT"],
    ["open", "SIGTERM"],
    ["seal", "SIGTERM"],
  ] as const)("%s ends at %s with exit code 5, and leaves no file", async ([command, signal]) => {
    const place = join(stack.folder, `stopped-${command}-${signal}`);
    await mkdir(place);
    const words = command === "open" ? ["open"] : ["seal", KEY];
    const child = spawn(process.execPath, [program, ...words, "-o", "out"], {
      env: stack.env,
      cwd: place,
      stdio: ["pipe", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const ended = once(child, "close");
    const whole = command === "open" ? await sealed() : content;
    child.stdin.write(whole.subarray(0, whole.length - 1000));
    // Now it has begun to write, and standard input stays open.
    while ((await readdir(place)).length === 0) await sleep(10);
    child.kill(signal);
    expect((await ended)[0], stderr).toBe(5);
    expect(stderr).toMatch(new RegExp(`^error: interrupted by ${signal}\n`));
    expect(await readdir(place)).toEqual([]);
  });

  it("refuse files that are none, and name them", async () => {
    expect(await type(`basil seal ${KEY} --file nothing-here -o out`)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("nothing-here cannot be read: there is no such file"),
    });
    expect(await type(`basil seal ${KEY} --file plain -o no/such/folder`)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("no/such/folder cannot be written"),
    });
    expect(await type(`basil seal ${KEY} --file plain --aad a --aad-hex 00`)).toMatchObject({ exitCode: 2 });
    expect(await type("basil seal")).toMatchObject({ exitCode: 2 });
  });

  it("write no bytes to a terminal, and tell there how far they are", async (context) => {
    need(context, "script");
    const { env } = stack;
    const at = `env BASIL_SOCKET="${env.BASIL_SOCKET}" TERM=xterm "${process.execPath}" "${program}" seal ${KEY}`;
    const { seen } = await atTerminal(folder, `${at} --file plain`, /^(?!)/, []);
    expect(seen).toContain("standard output is a terminal");
    const slow = await atTerminal(folder, `(cat plain; sleep 3) | ${at} -o slow`, /^(?!)/, []);
    expect(slow.seen).toMatch(/0 MB written … [12] s/);
    expect((await readFile(join(folder, "slow"))).length).toBe((await sealed()).length);
  });

  it("seal for an identity of the age program as well, which opens it with that", async (context) => {
    need(context, "age", "age-keygen");
    const age = promisify(execFile);
    const inFolder = { cwd: folder, encoding: "buffer", maxBuffer: 1e7 } as const;
    await age("age-keygen", ["-o", "identity"], inFolder);
    const recipient = (await age("age-keygen", ["-y", "identity"], inFolder)).stdout.toString().trim();
    expect(await type(`basil seal ${KEY} --file plain -o both --aad a -r ${recipient}`)).toMatchObject(done);
    expect((await age("age", ["--decrypt", "-i", "identity", "both"], inFolder)).stdout.equals(content)).toBe(true);
    expect(await type("basil open --file both --aad a -o opened-too")).toMatchObject(done);
    await writeFile(join(folder, "alone"), await sealed());
    await expect(age("age", ["--decrypt", "-i", "identity", "alone"], inFolder)).rejects.toThrow(/no identity matched/);
    await age("age", ["--encrypt", "-r", recipient, "-o", "theirs", "plain"], inFolder);
    expect(await type("basil open --file theirs -o nothing")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("sealed to no key of a broker (SEALED_RECIPIENT_MISSING)"),
    });
  });

  it("pass a stream on in less than 150 MB of memory each", async (context) => {
    if (process.platform !== "linux") context.skip("only Linux has /proc");
    const [piece, pieces] = [randomBytes(1024 * 1024), 160];
    const run = (...words: string[]) =>
      spawn(process.execPath, [program, ...words], { env: stack.env, stdio: ["pipe", "pipe", "inherit"] });
    const [sealing, opening] = [run("seal", KEY), run("open")];
    const ended = Promise.all([once(sealing, "close"), once(opening, "close")]);
    sealing.stdout.pipe(opening.stdin);
    const peakMb = async (pid: number | undefined) => {
      const status = await readFile(`/proc/${pid}/status`, "utf8");
      return (Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024) / 1e6;
    };
    const feeding = (async () => {
      for (let n = 0; n < pieces; n++) if (!sealing.stdin.write(piece)) await once(sealing.stdin, "drain");
      sealing.stdin.end();
    })();
    let out = 0;
    let peaks: readonly number[] = [];
    for await (const chunk of opening.stdout as AsyncIterable<Buffer>) {
      expect(chunk.equals(repeated(piece, out, chunk.length))).toBe(true);
      out += chunk.length;
      if (peaks.length > 0 || out < 0.9 * pieces * piece.length) continue;
      peaks = await Promise.all([sealing.pid, opening.pid].map(peakMb));
    }
    await feeding;
    expect(out).toBe(pieces * piece.length);
    expect((await ended).map(([code]) => code)).toEqual([0, 0]);
    for (const peak of peaks) expect(peak).toBeLessThan(150);
    expect(peaks).toHaveLength(2);
  }, 120_000);

  it("stop without a word when nobody reads", async () => {
    expect(await type(`basil seal ${KEY} --file plain`, { deaf: true })).toMatchObject({ exitCode: 1, stderr: "" });
  });
});

/** The bytes from `at` on of `piece` again and again. */
function repeated(piece: Buffer, at: number, length: number): Buffer {
  const from = at % piece.length;
  const first = piece.subarray(from, from + length);
  return first.length === length ? first : Buffer.concat([first, piece.subarray(0, length - first.length)]);
}
