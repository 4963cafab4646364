import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { BackendError } from "@basil/core";
import {
  grpcMethods,
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import type { ClientReadableStream } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type MemoryBackend, memoryBackend } from "../../test/memory-backend.js";
import { type ServedBroker, serveTestBroker } from "../../test/served-broker.js";
import { SocketClient } from "../../test/socket-client.js";
import type { Broker } from "../broker.js";

const SIGNING = "basil.broker.v1.SigningService";
const down = () => {
  throw new BackendError("UNAVAILABLE", "down", {});
};

let served: ServedBroker;
let folder: string;
let backend: MemoryBackend;
let broker: Broker;
let client: SocketClient;
beforeEach(async () => {
  backend = memoryBackend();
  served = await serveTestBroker({
    backends: [backend],
    // Readiness itself is asked at most every two seconds.
    limits: { healthWatchIntervalMs: 50, maxHealthWatchesPerUser: 2 },
  });
  ({ broker, client, folder } = served);
});
afterEach(() => served[Symbol.asyncDispose]());

const check = (service: string) => client.call(Health, "check", { service });
function watch(service: string): ClientReadableStream<unknown> {
  const { path, requestSerialize, responseDeserialize } = grpcMethods(Health).watch;
  const request = create(HealthCheckRequestSchema, { service });
  return client.grpc.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
}
const reader = (service: string) => watch(service)[Symbol.asyncIterator]() as AsyncIterator<{ status: Status }>;
const next = async (states: AsyncIterator<{ status: Status }>) => (await states.next()).value?.status;

describe("grpc.health.v1 Check", () => {
  it("says that the broker serves while it answers, and its services while it is ready", async () => {
    backend.before = down;
    expect(await check("")).toMatchObject({ status: Status.SERVING });
    expect(await check(SIGNING)).toMatchObject({ status: Status.NOT_SERVING });
    backend.before = () => {};
    await expect.poll(() => check(SIGNING), { timeout: 10_000 }).toMatchObject({ status: Status.SERVING });
  });

  it("does not know other services", async () => {
    await expect(check("other.Service")).rejects.toMatchObject({ code: 5 });
  });
});

describe("grpc.health.v1 Watch", () => {
  it("tells of a service as readiness comes and goes, and of the broker as a whole that it serves", async () => {
    const whole = reader("");
    const signing = reader(SIGNING);
    expect(await next(whole)).toBe(Status.SERVING);
    expect(await next(signing)).toBe(Status.SERVING);
    backend.before = down;
    expect(await next(signing)).toBe(Status.NOT_SERVING);
    backend.before = () => {};
    expect(await next(signing)).toBe(Status.SERVING);
    const last = [next(whole), next(signing)];
    await broker.close(1000);
    expect(await Promise.all(last)).toEqual([Status.NOT_SERVING, Status.NOT_SERVING]);
    expect(await whole.next()).toMatchObject({ done: true });
  }, 20_000);

  it("says of a service it does not know that it does not, and stays open", async () => {
    const states = reader("other.Service");
    expect(await next(states)).toBe(Status.SERVICE_UNKNOWN);
    const end = states.next();
    await broker.close(1000);
    expect(await end).toMatchObject({ done: true });
  });

  it("forgets the streams of a connection that is cut off", async () => {
    const sockets: Socket[] = [];
    const cable = createServer((near) => {
      const far = connect(served.path);
      sockets.push(near, far);
      for (const socket of [near, far]) socket.on("error", () => {});
      near.pipe(far).pipe(near);
    });
    await once(cable.listen(join(folder, "cable")), "listening");
    const direct = client;
    client = new SocketClient(join(folder, "cable"));
    const open = [reader(""), reader(SIGNING)];
    for (const states of open) expect(await next(states)).toBe(Status.SERVING);
    const cut = open.map((states) => expect(states.next()).rejects.toMatchObject({ code: 14 }));
    for (const socket of sockets) socket.destroy();
    await Promise.all(cut);
    client.grpc.close();
    client = direct;
    await new Promise((closed) => cable.close(closed));
    await expect.poll(() => next(reader("")).catch(() => undefined)).toBe(Status.SERVING);
  });

  it("refuses one stream too many with a hint when to come again, until another is cancelled", async () => {
    const open = [watch(""), watch("")];
    for (const call of open) {
      call.on("error", () => {});
      await new Promise((seen) => call.once("data", seen));
    }
    const refused = reader("");
    await expect(refused.next()).rejects.toMatchObject({ code: 8 });
    open[0]?.cancel();
    await expect.poll(() => next(reader("")).catch(() => undefined)).toBe(Status.SERVING);
  });
});
