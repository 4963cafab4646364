import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PlacedFiles } from "./placed-files.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-placed-"));
});
afterEach(() => rm(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

/** Content of which the second part does not fit any more. */
function onFullDisk(): string {
  const content = (async function* () {
    yield "te";
    throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  })();
  return content as unknown as string;
}

describe("PlacedFiles", () => {
  it("takes back files and the folders made for them", async () => {
    const placed = new PlacedFiles({ replace: false });
    await placed.makeFolder(at("a/b/c"), 0o700);
    await placed.write(at("a/b/c/file"), "text", 0o600);
    expect(await readFile(at("a/b/c/file"), "utf8")).toBe("text");
    await placed.undo();
    expect(await readdir(folder)).toEqual([]);
  });

  it("leaves a folder that was there, or has something else in it", async () => {
    const placed = new PlacedFiles({ replace: false });
    await placed.makeFolder(at("a/b"), 0o700);
    await placed.makeFolder(folder, 0o700);
    await writeFile(at("a/other"), "");
    await placed.undo();
    expect(await readdir(at("a"))).toEqual(["other"]);
  });

  it("gives back what it was told to replace", async () => {
    await writeFile(at("file"), "before");
    const placed = new PlacedFiles({ replace: true });
    await placed.write(at("file"), "after", 0o600);
    await placed.write(at("file"), "after that", 0o600);
    expect(await readFile(at("file"), "utf8")).toBe("after that");
    await placed.undo();
    expect(await readFile(at("file"), "utf8")).toBe("before");
  });

  it("neither replaces nor removes what somebody else has put there", async () => {
    await writeFile(at("file"), "theirs");
    const placed = new PlacedFiles({ replace: false });
    await expect(placed.write(at("file"), "ours", 0o600)).rejects.toMatchObject({ code: "EEXIST" });
    await placed.undo();
    expect(await readFile(at("file"), "utf8")).toBe("theirs");
  });

  it("leaves no file and nothing of its own beside it when the disk fills up on the way", async () => {
    const placed = new PlacedFiles({ replace: false });
    await placed.write(at("first"), "text", 0o600);
    await expect(placed.write(at("second"), onFullDisk(), 0o600)).rejects.toMatchObject({ code: "ENOSPC" });
    expect(await readdir(folder)).toEqual(["first"]);
    await placed.undo();
    expect(await readdir(folder)).toEqual([]);
  });

  it("leaves what was there, and nothing beside it, when the disk fills up while it is replaced", async () => {
    await writeFile(at("file"), "before");
    const placed = new PlacedFiles({ replace: true });
    await expect(placed.write(at("file"), onFullDisk(), 0o600)).rejects.toMatchObject({ code: "ENOSPC" });
    expect(await readFile(at("file"), "utf8")).toBe("before");
    await placed.undo();
    expect(await readdir(folder)).toEqual(["file"]);
  });

  it("removes what it kept of a replaced file once the new ones stay", async () => {
    await writeFile(at("file"), "before");
    const placed = new PlacedFiles({ replace: true });
    await placed.write(at("file"), "after", 0o600);
    await placed.keep();
    expect(await readdir(folder)).toEqual(["file"]);
    expect(await readFile(at("file"), "utf8")).toBe("after");
  });
});
