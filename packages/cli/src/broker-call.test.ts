import { chmod, chown, mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withBroker } from "./broker-call.js";
import type { CommandContext } from "./context.js";
import { createTerminal } from "./terminal.js";

let folder: string;
let server: Server;
let connections: number;
beforeEach(async () => {
  connections = 0;
  folder = await mkdtemp(join(tmpdir(), "basil-call-"));
  server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(join(folder, "agent.sock"));
  await new Promise((resolve) => server.once("listening", resolve));
});
afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

const streams = { write: () => true, isTTY: false };
const terminal = createTerminal({ stdout: streams, stderr: streams, env: {} });
const self = process.geteuid?.() ?? 0;
const call = (options: { brokerUid?: number } = {}, env: Record<string, string> = {}) =>
  withBroker(
    { socket: join(folder, "agent.sock"), timeout: 500, ...options },
    { env, terminal, signal: new AbortController().signal } as unknown as CommandContext,
    async () => "connected",
  );

describe("withBroker", () => {
  it("speaks to its own socket, also in a folder that everybody can write", async () => {
    expect(await call()).toBe("connected");
    await chmod(folder, 0o1777);
    expect(await call()).toBe("connected");
  });

  it("speaks to a stranger's socket only when it is told that the stranger is the broker's user", async () => {
    // Only root can give a socket away; who is not has no stranger to meet, and meets itself.
    if (self !== 0) return expect(await call({ brokerUid: self })).toBe("connected");
    await chmod(folder, 0o1777);
    await chown(join(folder, "agent.sock"), 65_534, 65_534);
    await expect(call()).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringContaining("belongs to uid 65534"),
      remedy: expect.stringContaining("--broker-uid 65534"),
    });
    expect(connections).toBe(0);
    expect(await call({ brokerUid: 65_534 })).toBe("connected");
    expect(await call({}, { BASIL_BROKER_UID: "65534" })).toBe("connected");
  });

  it("takes the broker's user from BASIL_BROKER_UID, and no text for it", async () => {
    expect(await call({}, { BASIL_BROKER_UID: String(self) })).toBe("connected");
    await expect(call({}, { BASIL_BROKER_UID: "root" })).rejects.toMatchObject({
      code: "USAGE",
      message: 'BASIL_BROKER_UID is "root"; allowed: a numeric user id',
    });
  });
});
