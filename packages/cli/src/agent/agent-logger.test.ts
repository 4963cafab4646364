import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, createReadStream, openSync } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createTerminal } from "../terminal.js";
import { agentLogger } from "./agent-logger.js";

const nowhere = { write: () => true } as never;

describe("the agent's log", () => {
  it("holds nobody up when it is not read, and says how many lines were lost", async () => {
    const folder = await mkdtemp(join(tmpdir(), "basil-log-"));
    const path = join(folder, "pipe");
    execFileSync("mkfifo", [path]);
    // Both ends, so that opening waits for nobody; nobody reads yet.
    const reader = await open(path, "r+");
    const fd = openSync(path, "w");
    const terminal = createTerminal({ stdout: nowhere, stderr: { write: nowhere, fd } as never, env: {} });
    const logger = await agentLogger("info", terminal);
    const text = "x".repeat(1000);
    const lines = 3000;
    for (let n = 0; n < lines; n++) logger.info({ n }, text);
    let read = 0;
    let lost: number | undefined;
    const input = createInterface(createReadStream(path));
    input.on("line", (line) => {
      const record = JSON.parse(line) as { msg: string; lines?: number };
      if (record.msg === text) read += 1;
      else lost = record.lines;
    });
    while (lost === undefined) await sleep(5);
    expect(read + lost).toBe(lines);
    expect(lost).toBeGreaterThan(0);
    expect(read).toBeGreaterThan(900);
    const closed = once(input, "close");
    closeSync(fd);
    await reader.close();
    await closed;
    await rm(folder, { recursive: true });
  });
});
