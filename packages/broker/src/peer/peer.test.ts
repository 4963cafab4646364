import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readdir, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { peerReader } from "./peer.js";

let folder: string;
let path: string;
let server: Server;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-peer-"));
  path = join(folder, "s");
  server = createServer({ pauseOnConnect: true });
  server.listen(path);
  await once(server, "listening");
});
afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

const fdOf = (socket: Socket) => (socket as unknown as { _handle: { fd: number } })._handle.fd;
const descriptors = async () => (await readdir("/proc/self/fd")).length;

describe("peerReader", () => {
  it("tells user, groups, process and executable of a peer in this process", async () => {
    const read = await peerReader();
    const socket = connect(path);
    const [accepted] = (await once(server, "connection")) as [Socket];
    using peer = read(fdOf(accepted));
    expect(peer?.identity).toMatchObject({
      kind: "unix",
      uid: process.getuid?.(),
      gid: process.getgid?.(),
      pid: process.pid,
      exe: process.execPath,
      startTime: expect.any(Number),
    });
    const withPrimary = new Set([...(peer?.identity.groups ?? []), process.getgid?.()]);
    expect(withPrimary).toEqual(new Set(process.getgroups?.()));
    socket.destroy();
    accepted.destroy();
  });

  it("tells nothing of a process that is gone but what the kernel kept", async () => {
    const read = await peerReader();
    const script = `require("net").connect(process.argv[1], () => process.exit(0))`;
    const child = spawn(process.execPath, ["-e", script, path]);
    const [accepted] = (await once(server, "connection")) as [Socket];
    await once(child, "exit");
    using peer = read(fdOf(accepted));
    expect(peer?.identity).toMatchObject({ uid: process.getuid?.(), pid: child.pid, exe: null, startTime: null });
    accepted.destroy();
  });

  it("gives every descriptor back", async () => {
    const read = await peerReader();
    const socket = connect(path);
    const [accepted] = (await once(server, "connection")) as [Socket];
    const before = await descriptors();
    for (let n = 0; n < 50; n++) {
      using peer = read(fdOf(accepted));
      expect(peer).toBeDefined();
    }
    expect(await descriptors()).toBe(before);
    socket.destroy();
    accepted.destroy();
  });

  it("tells nothing of a descriptor that is no unix socket", async () => {
    const read = await peerReader();
    expect(read(-1)).toBeUndefined();
    const file = await open("/dev/null");
    expect(read(file.fd)).toBeUndefined();
    await file.close();
    const tcp = createServer().listen(0, "127.0.0.1");
    await once(tcp, "listening");
    const socket = connect((tcp.address() as AddressInfo).port, "127.0.0.1");
    await once(socket, "connect");
    expect(read(fdOf(socket))).toBeUndefined();
    socket.destroy();
    tcp.close();
  });
});
