import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkSocket } from "./bind-socket.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-check-"));
  await writeFile(join(folder, "file"), "");
});
afterEach(() => rm(folder, { recursive: true }));

describe("checkSocket", () => {
  it("is content with a path that is free, and leaves nothing behind", async () => {
    await checkSocket({ path: join(folder, "s"), mode: 0o660, group: process.getgid?.() ?? 0 });
    expect(await readdir(folder)).toEqual(["file"]);
  });

  it.for([
    ["a folder that is not there", "no/s", "SOCKET_PATH_INVALID", "is not a folder"],
    ["a folder that is a file", "file/s", "SOCKET_PATH_INVALID", "is not a folder"],
    ["a file in its place", "file", "SOCKET_PATH_OCCUPIED", "is not a socket"],
    ["a path that is too long", "x".repeat(120), "SOCKET_PATH_INVALID", "too long for a socket"],
  ] as const)("refuses %s, and names the path", async ([, path, code, why]) => {
    const check = checkSocket({ path: join(folder, path) });
    await expect(check).rejects.toMatchObject({ code, details: { path: join(folder, path) } });
    await expect(check).rejects.toThrow(why);
    expect(await readdir(folder)).toEqual(["file"]);
  });

  it("refuses a path that is too long only with the folder it is bound in", async () => {
    const path = join(folder, "x".repeat(107 - Buffer.byteLength(folder) - 1));
    await checkSocket({ path });
    const deep = await mkdtemp(join(folder, "x".repeat(90 - Buffer.byteLength(folder))));
    await expect(checkSocket({ path: join(deep, "s") })).rejects.toMatchObject({ code: "SOCKET_PATH_INVALID" });
  });

  it("refuses a group that is not there, and a socket somebody listens at", async () => {
    const path = join(folder, "s");
    await expect(checkSocket({ path, group: "no-such-group" })).rejects.toMatchObject({ code: "SOCKET_GROUP_UNKNOWN" });
    const server = createServer().listen(path);
    await once(server, "listening");
    await expect(checkSocket({ path })).rejects.toMatchObject({ code: "SOCKET_IN_USE" });
    await new Promise((closed) => server.close(closed));
  });
});
