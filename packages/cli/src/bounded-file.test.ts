import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readAtMost } from "./bounded-file.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-bounded-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("readAtMost", () => {
  it.for([0, 1, 9, 10])("reads %i bytes of at most ten", async (length) => {
    const path = join(folder, "file");
    const bytes = new Uint8Array(length).fill(7);
    await writeFile(path, bytes);
    expect(await readAtMost(path, 10)).toEqual(bytes);
  });

  it("reads nothing that is longer, and comes to an end where the file does not", async () => {
    await writeFile(join(folder, "long"), new Uint8Array(11));
    expect(await readAtMost(join(folder, "long"), 10)).toBeUndefined();
    expect(await readAtMost("/dev/zero", 100_000)).toBeUndefined();
  });

  it("fails as the system does", async () => {
    await expect(readAtMost(join(folder, "absent"), 10)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(readAtMost(folder, 10)).rejects.toMatchObject({ code: "EISDIR" });
  });
});
