import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasPreface } from "@basil/grpc-wire";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { awaitFirstBytes } from "./first-bytes.js";

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

describe("awaitFirstBytes", () => {
  it("waits until the protocol is known, however the bytes are cut, and passes them on", async () => {
    const socket = await accepted;
    const matched = new Promise<Buffer>((resolve) => awaitFirstBytes(socket, 10_000, hasPreface, resolve));
    for (const part of [PREFACE.subarray(0, 1), PREFACE.subarray(1, 20), PREFACE.subarray(20)]) {
      await new Promise((written) => void client.write(part, written));
    }
    const bytes = await matched;
    expect(bytes.subarray(0, PREFACE.length)).toEqual(PREFACE);
    const rest = once(socket, "data");
    client.write(Buffer.from("more"));
    expect(String((await rest)[0])).toBe("more");
    socket.destroy();
  });

  it("destroys a socket at the first byte that is another", async () => {
    const socket = await accepted;
    let spoken = false;
    awaitFirstBytes(socket, 10_000, hasPreface, () => {
      spoken = true;
    });
    client.write(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    await once(client, "close");
    expect(spoken).toBe(false);
  });

  it("destroys a socket whose protocol is not known in time", async () => {
    const socket = await accepted;
    awaitFirstBytes(socket, 30, hasPreface, () => {});
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
          awaitFirstBytes(socket, 10_000, hasPreface, () => resolve("spoken"));
        });
        socket.destroy();
        other.destroy();
        expect(outcome).toBe(PREFACE.compare(sent, 0, 24) === 0 ? "spoken" : "closed");
      }),
      { numRuns: 50 },
    );
  });
});
