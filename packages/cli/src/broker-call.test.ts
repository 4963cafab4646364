import { chmod, chown, mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withBroker } from "./broker-call.js";
import type { CommandContext } from "./context.js";

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

const self = process.geteuid?.() ?? 0;
const call = (uid: number) =>
  withBroker(
    { socket: join(folder, "agent.sock"), timeout: 500 },
    { env: {}, uid, signal: new AbortController().signal } as unknown as CommandContext,
    async () => "connected",
  );

describe("withBroker", () => {
  it("speaks to a socket in a folder that only its owner can write, whoever that is", async () => {
    expect(await call(self + 1)).toBe("connected");
  });

  it("speaks to its own socket in a folder that everybody can write", async () => {
    await chmod(folder, 0o1777);
    expect(await call(self)).toBe("connected");
  });

  it("sends nothing to a stranger's socket in a folder that everybody can write", async () => {
    await chmod(folder, 0o1777);
    // Root is trusted everywhere, so as root the socket is given away first.
    const owner = self === 0 ? 65_534 : self;
    if (self === 0) await chown(join(folder, "agent.sock"), owner, owner);
    await expect(call(owner + 1)).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringContaining(`belongs to uid ${owner}`),
    });
    expect(connections).toBe(0);
  });
});
