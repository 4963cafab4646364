import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeSecretFile } from "./secret-file.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-secret-"));
});
afterEach(() => rm(folder, { recursive: true }));

const SECRET = Uint8Array.from({ length: 256 }, (_, i) => i);

describe("writeSecretFile", () => {
  it("writes the bytes as they are, for the owner's eyes only", async () => {
    await writeSecretFile(join(folder, "secret"), SECRET);
    expect(new Uint8Array(await readFile(join(folder, "secret")))).toEqual(SECRET);
    expect((await stat(join(folder, "secret"))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["secret"]);
  });

  it("narrows the mode of a file that was there", async () => {
    await writeFile(join(folder, "secret"), "old");
    await chmod(join(folder, "secret"), 0o644);
    await writeSecretFile(join(folder, "secret"), SECRET);
    expect((await stat(join(folder, "secret"))).mode & 0o777).toBe(0o600);
  });

  it("names what cannot be written, and leaves nothing beside it", async () => {
    await expect(writeSecretFile(join(folder, "no", "secret"), SECRET)).rejects.toMatchObject({
      code: "FILE",
      message: expect.stringContaining("there is no such folder"),
    });
    await writeFile(join(folder, "old"), "old");
    await expect(writeSecretFile(folder, SECRET)).rejects.toMatchObject({ code: "FILE" });
    expect(await readdir(folder)).toEqual(["old"]);
  });

  it("writes what comes piece by piece, and leaves nothing when that ends in a failure of its own", async () => {
    const pieces = async function* (failure?: Error) {
      yield SECRET;
      if (failure !== undefined) throw failure;
      yield SECRET;
    };
    await writeSecretFile(join(folder, "secret"), pieces());
    expect((await readFile(join(folder, "secret"))).length).toBe(2 * SECRET.length);
    const broken = new Error("nothing more comes");
    await expect(writeSecretFile(join(folder, "secret"), pieces(broken))).rejects.toBe(broken);
    await expect(writeSecretFile(join(folder, "other"), pieces(broken))).rejects.toBe(broken);
    expect(await readdir(folder)).toEqual(["secret"]);
    expect((await readFile(join(folder, "secret"))).length).toBe(2 * SECRET.length);
  });

  it("puts no file in the place of a link or of a device", async () => {
    await symlink(join(folder, "elsewhere"), join(folder, "link"));
    for (const path of [join(folder, "link"), "/dev/null"]) {
      await expect(writeSecretFile(path, SECRET)).rejects.toMatchObject({
        code: "FILE",
        message: expect.stringContaining("no regular file"),
      });
    }
    expect(await readdir(folder)).toEqual(["link"]);
    expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
  });
});
