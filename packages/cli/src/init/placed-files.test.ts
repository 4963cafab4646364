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
});
