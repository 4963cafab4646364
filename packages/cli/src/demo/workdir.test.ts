import { chmod, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { socketPathProblem } from "../socket-path.js";
import { makeWorkdir } from "./workdir.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-work-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  return rm(folder, { recursive: true, force: true });
});

const openToOthers = false;

describe("makeWorkdir", () => {
  it("works in the empty folder it is given, and removes it", async () => {
    const path = join(folder, "new");
    {
      await using workdir = await makeWorkdir({ path, openToOthers });
      await workdir.write("a/b", "text");
      expect(workdir).toMatchObject({ path, socketFolder: join(path, "run") });
      expect(await realpath(workdir.socketFolder)).toBe(await realpath(join(path, "run")));
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it("refuses what is no empty folder, and leaves it alone", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(makeWorkdir({ path: folder, openToOthers })).rejects.toThrow("is not empty");
    await expect(makeWorkdir({ path: join(folder, "file"), openToOthers })).rejects.toMatchObject({
      code: "FILE",
      message: `${join(folder, "file")} cannot be made: it exists already`,
    });
    expect(await readdir(folder)).toEqual(["file"]);
  });

  it("refuses a path in which no agent could make its socket, and makes nothing", async () => {
    const path = join(folder, "x".repeat(100));
    await expect(makeWorkdir({ path, openToOthers })).rejects.toMatchObject({
      code: "FAILED",
      message: expect.stringContaining("too long for a socket"),
      remedy: "choose a shorter --dir",
    });
    expect(await readdir(folder)).toEqual([]);
    await mkdir(path);
    await expect(makeWorkdir({ path, openToOthers })).rejects.toThrow("too long for a socket");
  });

  it.for([false, true])("leaves a TMPDIR that has no room for a socket, open to others or not (%s)", async (open) => {
    await chmod(folder, 0o755);
    const deep = join(folder, "x".repeat(100 - Buffer.byteLength(folder)));
    await mkdir(deep, { mode: 0o755 });
    vi.stubEnv("TMPDIR", deep);
    await using workdir = await makeWorkdir({ openToOthers: open });
    for (const at of [workdir.path, workdir.socketFolder])
      expect(socketPathProblem(join(at, "run", "s"))).toBeUndefined();
    expect(await readdir(deep)).toEqual([]);
  });

  it("says what to do about a TMPDIR that is not there", async () => {
    vi.stubEnv("TMPDIR", join(folder, "none"));
    await expect(makeWorkdir({ openToOthers })).rejects.toMatchObject({
      code: "FILE",
      message: expect.stringContaining(join(folder, "none")),
      remedy: expect.stringContaining("TMPDIR"),
    });
  });
});
