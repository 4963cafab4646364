import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { BackendError } from "@basil/core";
import {
  AdminService,
  AeadService,
  grpcMethods,
  Health,
  InvocationService,
  NatsService,
  SecretService,
  SigningService,
  WatchRequestSchema,
} from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import { Metadata } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ALICE, testPolicy } from "../../test/documents.js";
import { type MemoryAudit, memoryAudit } from "../../test/memory-audit.js";
import { type MemoryBackend, memoryBackend } from "../../test/memory-backend.js";
import { type ServedBroker, serveTestBroker } from "../../test/served-broker.js";
import type { SocketClient } from "../../test/socket-client.js";
import type { Broker, BrokerOptions } from "../broker.js";

const bytes = (text: string) => new TextEncoder().encode(text);
const served: ServedBroker[] = [];
let path: string;
let backend: MemoryBackend;
let audit: MemoryAudit;
let broker: Broker;
let client: SocketClient;

beforeEach(() => {
  backend = memoryBackend();
  audit = memoryAudit();
});
afterEach(async () => {
  for (const each of served.splice(0)) await each[Symbol.asyncDispose]();
});

async function serve(options: Partial<BrokerOptions> = {}) {
  const one = await serveTestBroker({ backends: [backend], audit, version: "1.2.3", ...options });
  served.push(one);
  ({ broker, client, path } = one);
  return client;
}

describe("the wire", () => {
  it("knows the caller from the kernel", async () => {
    await serve();
    await client.call(SigningService, "sign", { keyId: "app.p256", message: bytes("m") });
    expect(audit.records[0]).toMatchObject({
      actor_id: "alice",
      presenter_uid: process.getuid?.(),
      presenter_gid: process.getgid?.(),
      presenter_pid: process.pid,
      presenter_exe: process.execPath,
      presenter_start_time: expect.any(Number),
    });
  });

  it("signs and verifies", async () => {
    await serve();
    const message = bytes("m");
    const { signature } = await client.call(SigningService, "sign", { keyId: "app.p256", message });
    const verify = (of: Uint8Array) =>
      client.call(SigningService, "verify", { keyId: "app.p256", message: of, signature: signature as Uint8Array });
    expect(await verify(message)).toMatchObject({ valid: true });
    expect(await verify(bytes("another"))).toMatchObject({ valid: false });
  });

  it("answers a refusal byte for byte alike, whether the key exists or not", async () => {
    await serve();
    const [unknown, forbidden] = await Promise.all(
      ["no.such.key", "other.p256"].map((keyId) =>
        client.call(SigningService, "sign", { keyId }).catch((error) => error),
      ),
    );
    expect(unknown).toMatchObject({ code: 7, message: "not authorized", reason: "UNAUTHORIZED", op: "sign" });
    const { date: _, ...trailers } = unknown.trailers;
    const { date: __, ...others } = forbidden.trailers;
    expect({ ...forbidden, trailers: others }).toEqual({ ...unknown, trailers });
    expect(Object.keys(trailers)).toEqual(expect.not.arrayContaining(["basil-request-id", "grpc-retry-pushback-ms"]));
  });

  it("hints when to try again, on an outage alone", async () => {
    await serve();
    backend.before = () => {
      throw new BackendError("UNAVAILABLE", "down", { retryAfterMs: 77 });
    };
    const outage = client.call(SigningService, "sign", { keyId: "app.p256" });
    await expect(outage).rejects.toMatchObject({ code: 14, reason: "BACKEND_UNAVAILABLE", op: "sign", retry: "77" });
    const large = client.call(SigningService, "sign", { keyId: "app.p256", message: new Uint8Array(1_048_577) });
    await expect(large).rejects.toMatchObject({ code: 8, reason: "PAYLOAD_TOO_LARGE", retry: undefined });
  });

  it("answers by itself at the caller's deadline, and drops the backend's call", async () => {
    await serve();
    const dropped = Promise.withResolvers<void>();
    backend.before = (_, __, { signal }) => {
      signal.addEventListener("abort", () => dropped.resolve());
      return new Promise(() => {});
    };
    // The header alone: the client's own timer would end the call first.
    const metadata = new Metadata();
    metadata.set("grpc-timeout", "60m");
    await expect(client.call(SigningService, "sign", { keyId: "app.p256" }, { metadata })).rejects.toMatchObject({
      code: 4,
      reason: undefined,
    });
    await dropped.promise;
  });

  it("drops the backend's call when the caller goes away, and answers the next one", async () => {
    await serve();
    const called = Promise.withResolvers<AbortSignal>();
    backend.before = (_, __, { signal }) => {
      called.resolve(signal);
      return new Promise(() => {});
    };
    const caller = new AbortController();
    const call = client.call(SigningService, "sign", { keyId: "app.p256" }, { signal: caller.signal });
    const signal = await called.promise;
    const dropped = once(signal, "abort");
    caller.abort();
    await expect(call).rejects.toMatchObject({ code: 1 });
    await dropped;
    backend.before = () => {};
    expect(await client.call(SigningService, "sign", { keyId: "app.p256" })).toMatchObject({});
  });

  it("answers UNIMPLEMENTED without a detail for a method that does not exist", async () => {
    await serve();
    const unknown = new Promise((_, reject) => {
      client.grpc.makeUnaryRequest(
        "/basil.broker.v1.SigningService/Steal",
        (value: Buffer) => value,
        (value) => value,
        Buffer.alloc(0),
        (error) => reject(error),
      );
    });
    await expect(unknown).rejects.toMatchObject({ code: 12 });
  });

  it("refuses a message over 4 MiB, and lives on", async () => {
    await serve();
    const call = client.call(SigningService, "sign", { keyId: "app.p256", message: new Uint8Array(4_200_000) });
    await expect(call).rejects.toMatchObject({ code: 8, reason: undefined });
    expect(await client.call(AdminService, "health", {})).toMatchObject({ alive: true });
  });

  it("answers 415 to another content type", async () => {
    await serve();
    const session = connectHttp2("http://localhost", { createConnection: () => connect(path) });
    const request = session.request({
      ":method": "POST",
      ":path": "/basil.broker.v1.AdminService/Health",
      "content-type": "application/json",
    });
    const [headers] = await once(request, "response");
    expect(headers[":status"]).toBe(415);
    session.close();
  });

  it("lives on after garbage and half a preface", async () => {
    await serve();
    for (const text of ["GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0", "\0".repeat(1000)]) {
      const socket = connect(path);
      socket.on("error", () => {});
      socket.end(text);
      socket.resume();
      await new Promise((resolve) => socket.once("close", resolve));
    }
    expect(await client.call(AdminService, "health", {})).toMatchObject({ alive: true });
  });

  it("streams the catalog, and an empty one without an error to a caller without a subject", async () => {
    await serve();
    expect((await client.stream(SecretService, "listCatalog", { prefix: "app.p" })).map(({ name }) => name)).toEqual([
      "app.p256",
      "app.p384",
      "app.p521",
    ]);
    await broker.close();
    backend = memoryBackend();
    await serve({
      policy: testPolicy(({ subjects }) => {
        subjects.alice.allOf = [{ kind: "unix", uid: ALICE.uid + 1 }];
      }),
    });
    expect(await client.stream(SecretService, "listCatalog", {})).toEqual([]);
    await expect(client.call(AdminService, "status", {})).rejects.toMatchObject({ code: 7, op: "status" });
    await expect(client.call(AdminService, "reload", {})).rejects.toMatchObject({
      code: 7,
      message: "not authorized",
      op: "reload",
    });
    expect(await client.call(AdminService, "readiness", {})).toMatchObject({ ready: true });
  });
});

describe("a method that is not offered", () => {
  it.for([
    [AeadService, "wrapEnvelope", "encrypt", "wrap_envelope", { keyId: "app.ed" }, { keyId: "other.p256" }],
    [AeadService, "unsealCose", "decrypt", "unseal_cose", { keyId: "app.ed" }, { keyId: "no" }],
    [NatsService, "mintNatsUser", "mint", "mint_nats_user", { keyId: "app.ed" }, { keyId: "no" }],
    [NatsService, "signNatsJwt", "sign_nats_jwt", "sign_nats_jwt", { keyId: "app.ed" }, { keyId: "no" }],
    [
      SigningService,
      "import",
      "import",
      "import",
      { keyId: "app.ed", keyType: 1, material: { material: { case: "ed25519Seed", value: new Uint8Array(32) } } },
      { keyId: "no" },
    ],
  ] as const)("%o %s says so after authorization alone", async ([service, method, refusedOp, op, allowed, refused]) => {
    await serve();
    const call = (request: object) => client.call(service as typeof AeadService, method as "wrapEnvelope", request);
    await expect(call(refused)).rejects.toMatchObject({ code: 7, reason: "UNAUTHORIZED", op: refusedOp });
    await expect(call(allowed)).rejects.toMatchObject({ code: 12, reason: "UNSUPPORTED", op });
  });

  it("says so to all where the message itself proves who asks", async () => {
    await serve();
    await expect(client.call(InvocationService, "invoke", {})).rejects.toMatchObject({
      code: 12,
      reason: "UNSUPPORTED",
    });
  });

  it("refuses an empty set and one of more than 1,000 before anything else, and a set with one forbidden key as a whole", async () => {
    await serve();
    await expect(client.call(SigningService, "importSet", {})).rejects.toMatchObject({
      code: 3,
      reason: "INVALID_REQUEST",
      op: "import_set",
    });
    const many = Array.from({ length: 1001 }, () => ({ keyId: "app.ed", keyType: 1 }));
    await expect(client.call(SigningService, "importSet", { entries: many })).rejects.toMatchObject({
      code: 8,
      reason: "PAYLOAD_TOO_LARGE",
      message: "entries: 1001 keys, at most 1000 are allowed",
    });
    expect(audit.records).toEqual([]);
    const material = { material: { case: "ed25519Seed", value: new Uint8Array(32) } } as const;
    const entries = ["app.ed", "other.p256"].map((keyId) => ({ keyId, keyType: 1, material }));
    await expect(client.call(SigningService, "importSet", { entries })).rejects.toMatchObject({
      code: 7,
      op: "import",
    });
  });
});

describe("grpc.health.v1", () => {
  const check = (service: string) => client.call(Health, "check", { service });

  it("says that the broker serves while it answers, and its services while it is ready", async () => {
    await serve();
    expect(await check("")).toMatchObject({ status: 1 });
    expect(await check("basil.broker.v1.SigningService")).toMatchObject({ status: 1 });
    await broker.close();
    backend = memoryBackend();
    await serve();
    backend.before = () => {
      throw new BackendError("UNAVAILABLE", "down", {});
    };
    expect(await check("")).toMatchObject({ status: 1 });
    expect(await check("basil.broker.v1.SigningService")).toMatchObject({ status: 2 });
  });

  it("does not know other services", async () => {
    await serve();
    await expect(check("other.Service")).rejects.toMatchObject({ code: 5 });
  });
});

describe("AdminService.Watch", () => {
  it("begins at once, stays open, and ends when the broker closes", async () => {
    await serve();
    const { watch } = grpcMethods(AdminService);
    const call = client.grpc.makeServerStreamRequest(
      watch.path,
      watch.requestSerialize,
      watch.responseDeserialize,
      create(WatchRequestSchema),
    );
    call.resume();
    await once(call, "metadata");
    const ended = once(call, "status");
    await broker.close(1000);
    expect((await ended)[0]).toMatchObject({ code: 0 });
    expect(audit.records).toMatchObject([{ op: "watch", target_id: "broker.watch", decision: "allow" }]);
  });
});

describe("connections that speak first while the process is busy", () => {
  it("are all answered, also those whose reading was stopped before they were served", async () => {
    await serve();
    const { listener } = served[0] as ServedBroker;
    const sockets = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = connect(path);
        await once(socket, "connect");
        return socket;
      }),
    );
    await expect.poll(() => listener.connections).toBe(sockets.length);
    const now = performance.now.bind(performance);
    let asked = 0;
    // Whatever is looked at seems to have taken longer than a turn may.
    const clock = vi.spyOn(performance, "now").mockImplementation(() => now() + ++asked * 150);
    const sessions = sockets.map((socket) => connectHttp2("http://localhost", { createConnection: () => socket }));
    try {
      await Promise.all(sessions.map((session) => once(session, "remoteSettings")));
      clock.mockRestore();
      const health = { ":method": "POST", ":path": grpcMethods(AdminService).health.path };
      const headers = { ...health, "content-type": "application/grpc", te: "trailers" };
      const statuses = sessions.map(async (session) => {
        const stream = session.request(headers);
        stream.resume();
        const trailers = once(stream, "trailers", { signal: AbortSignal.timeout(10_000) });
        stream.end(Buffer.alloc(5));
        return (await trailers)[0]["grpc-status"];
      });
      expect(new Set(await Promise.all(statuses))).toEqual(new Set(["0"]));
    } finally {
      clock.mockRestore();
      for (const session of sessions) session.destroy();
    }
  });
});

describe("a request that nobody serves", () => {
  it.for([
    ["of an unknown method", { ":path": "/nobody.Knows/This", "content-type": "application/grpc" }],
    ["of another content type", { ":path": grpcMethods(AdminService).health.path, "content-type": "text/plain" }],
  ] as const)("%s may be refused as it comes", async ([, fields]) => {
    await serve({ limits: { maxOpenBytesPerUser: 20 * 16 * 1024 } });
    const session = connectHttp2("http://localhost", { createConnection: () => connect(path) });
    await once(session, "remoteSettings");
    const streams = Array.from({ length: 100 }, () => session.request({ ":method": "POST", ...fields }));
    const closed = streams.map((stream) =>
      once(
        stream
          .on("error", () => {})
          .resume()
          .end(),
        "close",
      ),
    );
    await Promise.all(closed);
    expect(await client.call(AdminService, "health", {})).toMatchObject({ alive: true });
    session.destroy();
  });
});
