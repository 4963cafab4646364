import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { serviceNotifier } from "./service-notifier.js";

/** A receiver of another make: Node has no unix datagram sockets. */
const RECEIVER = `
import socket, sys
name = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\\0" + name[1:] if name.startswith("@") else name)
s.settimeout(20)
print("bound", flush=True)
for _ in range(5): print(repr(s.recv(4096).decode()), flush=True)
`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-notify-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("serviceNotifier", () => {
  it.for(["path", "abstract"])("sends what sd_notify(3) says, to a socket by %s", async (kind) => {
    const name = kind === "path" ? join(folder, "n") : `@basil-test-${process.pid}-${folder.slice(-6)}`;
    const receiver = spawn("python3", ["-c", RECEIVER, name], { stdio: ["ignore", "pipe", "inherit"] });
    await once(receiver.stdout, "readable");
    const notifier = await serviceNotifier(name);
    expect([
      notifier.ready(),
      notifier.reloading(),
      notifier.watchdog(),
      notifier.status("serving\n10 keys"),
      notifier.stopping(),
    ]).toEqual([true, true, true, true, true]);
    const lines = (await text(receiver.stdout)).trim().split("\n");
    expect(lines).toEqual([
      "bound",
      "'READY=1'",
      expect.stringMatching(/^'RELOADING=1\\nMONOTONIC_USEC=\d+'$/),
      "'WATCHDOG=1'",
      "'STATUS=serving 10 keys'",
      "'STOPPING=1'",
    ]);
  });

  it("says so when nobody takes it", async () => {
    const notifier = await serviceNotifier(join(folder, "nobody"));
    expect(notifier.ready()).toBe(false);
  });

  it.for(["", "relative", "/", `/${"x".repeat(120)}`])("refuses the path %j", async (path) => {
    await expect(serviceNotifier(path)).rejects.toMatchObject({ code: "SOCKET_PATH_INVALID" });
  });
});
