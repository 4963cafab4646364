import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { awaitPreface } from "./preface.js";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
let folder: string;
let server: Server;
let accepted: Promise<Socket>;
let client: Socket;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-preface-"));
  server = createServer();
  accepted = new Promise((resolve) => void server.once("connection", resolve));
  server.listen(join(folder, "s"));
  await once(server, "listening");
  client = connect(join(folder, "s"));
  client.on("error", () => {});
});
afterEach(async () => {
  client.destroy();
  server.close();
  await rm(folder, { recursive: true });
});

describe("awaitPreface", () => {
  it("waits for all of it, however it is cut, and puts back what was said", async () => {
    const socket = await accepted;
    const spoken = new Promise<number>((resolve) => awaitPreface(socket, 10_000, resolve));
    for (const part of [PREFACE.subarray(0, 1), PREFACE.subarray(1, 20), PREFACE.subarray(20), Buffer.from("more")]) {
      await new Promise((written) => void client.write(part, written));
    }
    const bytes = await spoken;
    expect(bytes).toBeGreaterThanOrEqual(PREFACE.length);
    const read: Buffer[] = [];
    while (Buffer.concat(read).length < PREFACE.length + 4) {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) await once(socket, "readable");
      else read.push(chunk);
    }
    expect(Buffer.concat(read).toString()).toBe(`${PREFACE}more`);
    socket.destroy();
  });

  it("destroys a socket at the first byte that is another", async () => {
    const socket = await accepted;
    let spoken = false;
    awaitPreface(socket, 10_000, () => {
      spoken = true;
    });
    client.write(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    await once(client, "close");
    expect(spoken).toBe(false);
  });

  it("destroys a socket that does not say it in time, or ends", async () => {
    const socket = await accepted;
    awaitPreface(socket, 30, () => {});
    client.write(PREFACE.subarray(0, 23));
    await once(client, "close");
    expect(socket.destroyed).toBe(true);
  });
});

describe("any first bytes", () => {
  it("are taken when they begin with the preface, and end the connection otherwise", async () => {
    await accepted;
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 24, maxLength: 200 }),
      fc.uint8Array({ maxLength: 100 }).map((rest) => Buffer.concat([PREFACE, rest])),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (sent) => {
        const connection = new Promise<Socket>((resolve) => void server.once("connection", resolve));
        const other = connect(join(folder, "s"));
        other.on("error", () => {});
        other.write(sent);
        const socket = await connection;
        const outcome = await new Promise<string>((resolve) => {
          socket.once("close", () => resolve("closed"));
          awaitPreface(socket, 10_000, () => resolve("spoken"));
        });
        socket.destroy();
        other.destroy();
        expect(outcome).toBe(PREFACE.compare(sent, 0, 24) === 0 ? "spoken" : "closed");
      }),
      { numRuns: 50 },
    );
  });
});
