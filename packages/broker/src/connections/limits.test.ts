import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { AdminService, SigningService } from "@basil/proto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hold, type MemoryBackend, memoryBackend } from "../../test/memory-backend.js";
import { type ServedBroker, serveTestBroker } from "../../test/served-broker.js";
import { SocketClient } from "../../test/socket-client.js";
import type { Limits } from "../limits.js";
import type { Listener } from "./listener.js";

let served: ServedBroker;
let path: string;
let backend: MemoryBackend;
let listener: Listener;
let client: SocketClient;
const sockets: Socket[] = [];

beforeEach(() => {
  backend = memoryBackend();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await served[Symbol.asyncDispose]();
});

async function serve(limits: Partial<Limits>) {
  served = await serveTestBroker({ backends: [backend], limits });
  ({ listener, path, client } = served);
}
/** Whether it ends or is reset. */
const gone = (socket: Socket) => new Promise<void>((resolve) => void socket.once("close", () => resolve()));

async function silent() {
  const socket = connect(path);
  socket.on("error", () => {});
  socket.resume();
  sockets.push(socket);
  await once(socket, "connect");
  return socket;
}

describe("the limits", () => {
  it("close the oldest idle connection for a new one, never one with a request in flight", async () => {
    await serve({ maxConnections: 3 });
    const held = hold(backend);
    const busy = client.call(SigningService, "sign", { keyId: "app.p256" });
    await held.called;
    const first = await silent();
    const closed = gone(first);
    for (let n = 0; n < 5; n++) await silent();
    await closed;
    const other = new SocketClient(path);
    expect(await other.call(AdminService, "health", {})).toMatchObject({ alive: true });
    other.grpc.close();
    expect(listener.connections).toBeLessThanOrEqual(3);
    held.release();
    expect((await busy).signature).toBeDefined();
  });

  it("close a connection at work for a new one when all are at work, so that health is answered", async () => {
    await serve({ maxConnections: 3 });
    let calls = 0;
    const all = Promise.withResolvers<void>();
    backend.before = () => {
      calls += 1;
      if (calls === 3) all.resolve();
      return new Promise(() => {});
    };
    const others = [client, new SocketClient(path), new SocketClient(path)];
    const busy = others.map((each) =>
      each.call(SigningService, "sign", { keyId: "app.p256" }).catch(({ code }) => code),
    );
    await all.promise;
    const late = new SocketClient(path);
    expect(await late.call(AdminService, "health", {})).toMatchObject({ alive: true });
    expect(await Promise.race(busy)).toBe(14);
    expect(listener.connections).toBe(3);
    for (const each of [...others, late]) each.grpc.close();
  });

  it("leave a client alone that has 100 requests in flight and gives most of them up", async () => {
    await serve({});
    backend.before = () => new Promise((resolve) => void setTimeout(resolve, 20));
    const codes = new Map<number, number>();
    const lane = async (n: number) => {
      for (let round = 0; round < 8; round++) {
        const deadline = Date.now() + (n % 4 === 0 ? 60_000 : 5);
        const code = await client.call(SigningService, "sign", { keyId: "app.p256" }, { deadline }).then(
          () => 0,
          (error) => error.code,
        );
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: 100 }, (_, n) => lane(n)));
    // Done, or over the time that the client gave.
    expect([...codes.keys()].filter((code) => code !== 0 && code !== 4)).toEqual([]);
    expect(codes.get(0)).toBeGreaterThanOrEqual(25 * 8);
    expect(listener.connections).toBe(1);
  });

  it("close a connection that never says what it speaks", async () => {
    await serve({ prefaceTimeoutMs: 300 });
    const socket = await silent();
    await gone(socket);
    expect(await client.call(AdminService, "health", {})).toMatchObject({ alive: true });
  });

  it("close a connection that asks nothing, whose client connects again", async () => {
    await serve({ idleTimeoutMs: 50 });
    await client.call(AdminService, "health", {});
    await expect.poll(() => listener.connections, { timeout: 5000 }).toBe(0);
    expect(await client.call(AdminService, "health", {})).toMatchObject({ alive: true });
  });

  it("answer LIMIT_EXCEEDED with a hint over the queue, and health meanwhile", async () => {
    await serve({ maxInFlight: 1, maxInFlightPerCaller: 1, maxWaitingPerCaller: 1 });
    const held = hold(backend);
    const working = client.call(SigningService, "sign", { keyId: "app.p256" });
    await held.called;
    const waiting = client.call(SigningService, "sign", { keyId: "app.p256" });
    await client.call(AdminService, "health", {});
    await expect(client.call(SigningService, "sign", { keyId: "app.p256" })).rejects.toMatchObject({
      code: 8,
      reason: "LIMIT_EXCEEDED",
      op: "sign",
      retry: "100",
    });
    held.release();
    expect((await working).signature).toBeDefined();
    expect((await waiting).signature).toBeDefined();
  });

  it("give every descriptor back after many connections came and went", async () => {
    await serve({ maxConnections: 50 });
    await client.call(AdminService, "health", {});
    const before = (await readdir("/proc/self/fd")).length;
    for (let n = 0; n < 300; n++) (await silent()).destroy();
    sockets.length = 0;
    await expect
      .poll(async () => (await readdir("/proc/self/fd")).length, { timeout: 5000 })
      .toBeLessThanOrEqual(before);
    expect(await client.call(AdminService, "health", {})).toMatchObject({ alive: true });
  });
});
