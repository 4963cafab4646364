import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { chmod, lstat, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { connect as connectHttp2 } from "node:http2";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
import koffi from "koffi";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ALICE, testCatalog, testPolicy } from "../../test/documents.js";
import { type MemoryAudit, memoryAudit } from "../../test/memory-audit.js";
import { type MemoryBackend, memoryBackend } from "../../test/memory-backend.js";
import { SocketClient } from "../../test/socket-client.js";
import { type Broker, type BrokerOptions, createBroker } from "../broker.js";

const bytes = (text: string) => new TextEncoder().encode(text);
let folder: string;
let path: string;
let backend: MemoryBackend;
let audit: MemoryAudit;
let broker: Broker;
let client: SocketClient;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-broker-"));
  path = join(folder, "agent.sock");
  backend = memoryBackend();
  audit = memoryAudit();
});
afterEach(async () => {
  client?.grpc.close();
  await broker?.close(0);
  await rm(folder, { recursive: true });
});

async function makeBroker(options: Partial<BrokerOptions> = {}) {
  broker = await createBroker({
    catalog: testCatalog(),
    policy: testPolicy(),
    backends: [backend],
    audit,
    version: "1.2.3",
    ...options,
  });
  return broker;
}

async function serve(options: Partial<BrokerOptions> = {}) {
  await makeBroker(options);
  await broker.listen({ path });
  client = new SocketClient(path);
  return client;
}

describe("a broker's socket", () => {
  it("is 0600 unless told otherwise, and gone after closing, with nothing beside it but its lock", async () => {
    await serve();
    expect((await lstat(path)).isSocket()).toBe(true);
    expect((await stat(path)).mode & 0o7777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["agent.sock", "agent.sock.lock"]);
    await broker.close();
    expect(await readdir(folder)).toEqual(["agent.sock.lock"]);
  });

  it("gets the mode and group it is told", async () => {
    await makeBroker();
    await broker.listen({ path, mode: 0o660, group: process.getgid?.() ?? 0 });
    expect((await stat(path)).mode & 0o7777).toBe(0o660);
    expect((await stat(path)).gid).toBe(process.getgid?.());
  });

  it.for([
    ["a group that does not exist", { group: "no-such-group-here" }, "SOCKET_GROUP_UNKNOWN"],
    ["a folder that does not exist", { path: "/nonexistent/agent.sock" }, "SOCKET_PATH_INVALID"],
    ["a path longer than a socket's may be", { path: `/tmp/${"x".repeat(120)}` }, "SOCKET_PATH_INVALID"],
    ["an empty path", { path: "" }, "SOCKET_PATH_INVALID"],
  ] as const)("is refused for %s, and nothing is left behind", async ([, options, code]) => {
    await makeBroker();
    await expect(broker.listen({ path, ...options })).rejects.toMatchObject({ code });
    expect((await readdir(folder)).filter((name) => !name.endsWith(".lock"))).toEqual([]);
  });

  it("is not taken from a broker that lives", async () => {
    await serve();
    const second = await createBroker({ catalog: testCatalog(), policy: testPolicy(), backends: [memoryBackend()] });
    await expect(second.listen({ path })).rejects.toMatchObject({ code: "SOCKET_IN_USE" });
    await second.close();
    expect(await client.call(AdminService, "health", {})).toMatchObject({ alive: true });
  });

  it("is not taken from a program that listens there without a lock", async () => {
    const other = createServer().listen(path);
    await once(other, "listening");
    await makeBroker();
    await expect(broker.listen({ path })).rejects.toMatchObject({ code: "SOCKET_IN_USE" });
    expect((await lstat(path)).isSocket()).toBe(true);
    other.close();
  });

  it("replaces one that a killed process left", async () => {
    const script = `require("net").createServer().listen(process.argv[1], () => process.stdout.write("up"))`;
    const child = spawn(process.execPath, ["-e", script, path], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect((await lstat(path)).isSocket()).toBe(true);
    await serve();
    expect(await client.call(AdminService, "health", {})).toMatchObject({ alive: true });
  });

  it.for([
    ["a file", () => writeFile(path, "precious")],
    ["a link", () => symlink("/dev/null", path)],
  ] as const)("is refused where %s is, which is left alone", async ([, prepare]) => {
    await prepare();
    const before = await lstat(path);
    await makeBroker();
    await expect(broker.listen({ path })).rejects.toMatchObject({ code: "SOCKET_PATH_OCCUPIED" });
    expect((await lstat(path)).ino).toBe(before.ino);
  });

  it("is not removed by a broker whose path was taken over", async () => {
    await serve();
    await rm(path);
    await writeFile(path, "another's");
    await broker.close();
    expect((await lstat(path)).isFile()).toBe(true);
  });
});

describe("a socket that was handed over", () => {
  /** As a service manager makes it before it starts the broker. */
  function listening(): number {
    const c = koffi.load(null);
    const fd: number = c.func("int socket(int domain, int type, int protocol)")(1, 1, 0);
    const address = Buffer.concat([Buffer.from(Uint16Array.of(1).buffer), Buffer.from(`${path}\0`)]);
    expect(c.func("int bind(int fd, const uint8_t *address, uint32_t length)")(fd, address, address.length)).toBe(0);
    expect(c.func("int listen(int fd, int backlog)")(fd, 10)).toBe(0);
    return fd;
  }

  it("is served, and left where it is", async () => {
    await makeBroker();
    const fd = listening();
    const listener = await broker.listen({ fd });
    expect(listener.path).toBe(`fd ${fd}`);
    client = new SocketClient(path);
    expect((await client.call(SigningService, "sign", { keyId: "app.p256" })).signature).toBeDefined();
    expect(audit.records[0]).toMatchObject({ actor_id: "alice", presenter_pid: process.pid });
    await broker.close();
    expect((await lstat(path)).isSocket()).toBe(true);
  });

  it("is refused when it is no socket that listens", async () => {
    await makeBroker();
    const fd = openSync("/dev/null", "r");
    await expect(broker.listen({ fd })).rejects.toMatchObject({ code: "SOCKET_FAILED", details: { path: `fd ${fd}` } });
    closeSync(fd);
  });
});

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
      message: "not authorized to reload",
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

  it("refuses an empty set before anything else, and a set with one forbidden key as a whole", async () => {
    await serve();
    await expect(client.call(SigningService, "importSet", {})).rejects.toMatchObject({
      code: 3,
      reason: "INVALID_REQUEST",
      op: "import_set",
    });
    const material = { material: { case: "ed25519Seed", value: new Uint8Array(32) } } as const;
    const entries = ["app.ed", "other.p256"].map((keyId) => ({ keyId, keyType: 1, material }));
    await expect(client.call(SigningService, "importSet", { entries })).rejects.toMatchObject({
      code: 7,
      op: "import",
    });
  });
});

describe("closing a broker", () => {
  it("answers the requests in flight before its connections end", async () => {
    await serve();
    const hold = Promise.withResolvers<void>();
    const called = Promise.withResolvers<void>();
    backend.before = () => {
      called.resolve();
      return hold.promise;
    };
    const call = client.call(SigningService, "sign", { keyId: "app.p256" });
    await called.promise;
    const closed = broker.close();
    hold.resolve();
    expect(((await call).signature as Uint8Array).length).toBe(64);
    await closed;
    await expect(lstat(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("does not wait longer than told for a connection that says nothing", async () => {
    await serve();
    const idle = connect(path);
    await once(idle, "connect");
    idle.on("error", () => {});
    const ended = new Promise((resolve) => idle.once("close", resolve));
    idle.resume();
    await broker.close(30);
    await ended;
  });

  it("lets two brokers of one process live side by side", async () => {
    await serve();
    const other = await createBroker({ catalog: testCatalog(), policy: testPolicy(), backends: [memoryBackend()] });
    const otherPath = join(folder, "other.sock");
    await other.listen({ path: otherPath });
    await other.close();
    expect(await client.call(AdminService, "health", {})).toMatchObject({ alive: true });
    await chmod(path, 0o600);
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

  it("does not know other services, and leaves Watch out", async () => {
    await serve();
    await expect(check("other.Service")).rejects.toMatchObject({ code: 5 });
    await expect(client.stream(Health, "watch", {})).rejects.toMatchObject({ code: 12 });
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
