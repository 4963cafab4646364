import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AdminService, SigningService } from "@basil/proto";
import koffi from "koffi";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type MemoryAudit, memoryAudit } from "../../test/memory-audit.js";
import { hold, type MemoryBackend, memoryBackend } from "../../test/memory-backend.js";
import { SocketClient } from "../../test/socket-client.js";
import { testBroker } from "../../test/test-broker.js";
import type { Broker, BrokerOptions } from "../broker.js";

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
  broker = await testBroker({ backends: [backend], audit, version: "1.2.3", ...options });
  return broker;
}

async function serve(options: Partial<BrokerOptions> = {}) {
  await makeBroker(options);
  await broker.listen({ path });
  client = new SocketClient(path);
  return client;
}

describe("a broker's socket", () => {
  it("takes a burst of connections that come before it can accept any, as many as the system lets it", async () => {
    await serve();
    const allowed = Number(await readFile("/proc/sys/net/core/somaxconn", "utf8"));
    const attempts = Array.from({ length: Math.min(1000, allowed) }, () => {
      const socket = connect(path);
      return new Promise<string>((resolve) => {
        socket.once("connect", () => resolve("connected"));
        socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
      }).finally(() => socket.destroy());
    });
    expect(new Set(await Promise.all(attempts))).toEqual(new Set(["connected"]));
  });

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
    ["a group that does not exist", () => ({ group: "no-such-group-here" }), "SOCKET_GROUP_UNKNOWN"],
    ["a folder that does not exist", () => ({ path: join(folder, "no-folder", "agent.sock") }), "SOCKET_PATH_INVALID"],
    ["a path longer than a socket's may be", () => ({ path: `/tmp/${"x".repeat(120)}` }), "SOCKET_PATH_INVALID"],
    ["an empty path", () => ({ path: "" }), "SOCKET_PATH_INVALID"],
  ] as const)("is refused for %s, and nothing is left behind", async ([, options, code]) => {
    await makeBroker();
    await expect(broker.listen({ path, ...options() })).rejects.toMatchObject({ code });
    expect((await readdir(folder)).filter((name) => !name.endsWith(".lock"))).toEqual([]);
  });

  it("is not taken from a broker that lives", async () => {
    await serve();
    const second = await testBroker();
    await expect(second.listen({ path })).rejects.toMatchObject({ code: "SOCKET_IN_USE" });
    await second.close();
    expect(await client.call(AdminService, "health", {})).toMatchObject({ alive: true });
  });

  it("makes no file through a link where its lock belongs, and waits for no pipe there", async () => {
    await makeBroker();
    await symlink(join(folder, "elsewhere"), `${path}.lock`);
    await expect(broker.listen({ path })).rejects.toMatchObject({ code: "SOCKET_FAILED" });
    expect(await readdir(folder)).toEqual(["agent.sock.lock"]);
    await rm(`${path}.lock`);
    execFileSync("mkfifo", [`${path}.lock`]);
    await expect(broker.listen({ path })).rejects.toMatchObject({ code: "SOCKET_FAILED" });
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

describe("closing a broker", () => {
  it("answers the requests in flight before its connections end", async () => {
    await serve();
    const held = hold(backend);
    const call = client.call(SigningService, "sign", { keyId: "app.p256" });
    await held.called;
    const closed = broker.close();
    held.release();
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
    const from = performance.now();
    await broker.close(30);
    await ended;
    // A third of what closing waits when it is told nothing.
    expect(performance.now() - from).toBeLessThan(3333);
  });

  it("lets two brokers of one process live side by side", async () => {
    await serve();
    const other = await testBroker();
    const otherPath = join(folder, "other.sock");
    await other.listen({ path: otherPath });
    await other.close();
    expect(await client.call(AdminService, "health", {})).toMatchObject({ alive: true });
    await chmod(path, 0o600);
  });
});
