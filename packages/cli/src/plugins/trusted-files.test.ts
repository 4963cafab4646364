import { chmod, chown, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TrustedFiles } from "./trusted-files.js";

const ME = process.geteuid?.() ?? 0;
let folder: string;
const at = (...names: string[]) => join(folder, ...names);

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "basil-trust-")));
  await mkdir(at("package", "lib"), { recursive: true, mode: 0o755 });
  await writeFile(at("package", "lib", "index.js"), "", { mode: 0o644 });
});
afterEach(() => rm(folder, { recursive: true }));

const file = () => new TrustedFiles(ME).distrustOf(at("package", "lib", "index.js"));
const tree = () => new TrustedFiles(ME).distrustOfTree(at("package"));

describe("TrustedFiles", () => {
  it("trusts what this user or root alone can write, under a sticky folder too", async () => {
    expect(await file()).toBeUndefined();
    expect(await tree()).toBeUndefined();
    await chmod(folder, 0o1777);
    expect(await file()).toBeUndefined();
  });

  it.for([
    ["the file", ["package", "lib", "index.js"], 0o666, "0666", "everyone"],
    ["the file, by its group", ["package", "lib", "index.js"], 0o664, "0664", "its group"],
    ["its folder", ["package", "lib"], 0o777, "0777", "everyone"],
    ["a folder above, by its group", ["package"], 0o775, "0775", "its group"],
    ["the folder over all", [], 0o777, "0777", "everyone"],
  ] as const)("finds %s that others can write, and says mode and remedy", async ([, names, mode, shown, who]) => {
    await chmod(at(...names), mode);
    const path = at(...names);
    const found = { path, problem: `${path} has mode ${shown}: ${who} can write it`, remedy: `chmod go-w ${path}` };
    expect(await file()).toEqual(found);
    const inPackage = names[0] === "package";
    expect(await tree()).toEqual({ ...found, ...(inPackage && { remedy: `chmod -R go-w ${at("package")}` }) });
  });

  it("finds a file anywhere in a tree, imported or not, and a sticky folder in it", async () => {
    await writeFile(at("package", "data.json"), "");
    await chmod(at("package", "data.json"), 0o622);
    expect(await file()).toBeUndefined();
    expect(await tree()).toMatchObject({ path: at("package", "data.json") });
    await chmod(at("package", "data.json"), 0o600);
    await chmod(at("package", "lib"), 0o1777);
    expect(await tree()).toMatchObject({ path: at("package", "lib") });
  });

  it("finds a sticky folder that lay on the way to something else before", async () => {
    await chmod(at("package"), 0o1777);
    const files = new TrustedFiles(ME);
    expect(await files.distrustOfTree(at("package", "lib"))).toBeUndefined();
    expect(await files.distrustOfTree(at("package"))).toMatchObject({ path: at("package") });
  });

  it("follows links, and looks at what they lead through", async () => {
    await symlink(at("package"), at("link"));
    const through = () => new TrustedFiles(ME).distrustOfTree(at("link"));
    expect(await through()).toBeUndefined();
    await mkdir(at("elsewhere"));
    await writeFile(at("elsewhere", "code.js"), "");
    await symlink(at("elsewhere", "code.js"), at("package", "code.js"));
    expect(await through()).toBeUndefined();
    await chmod(at("elsewhere"), 0o777);
    expect(await through()).toMatchObject({ path: at("elsewhere") });
  });

  it("looks at everything in a folder that a link of the tree leads to, links in circles included", async () => {
    await mkdir(at("elsewhere"));
    await writeFile(at("elsewhere", "code.js"), "");
    await symlink(at("elsewhere"), at("package", "linked"));
    await symlink(at("package"), at("elsewhere", "back"));
    expect(await tree()).toBeUndefined();
    await chmod(at("elsewhere", "code.js"), 0o666);
    expect(await tree()).toMatchObject({
      path: at("elsewhere", "code.js"),
      remedy: expect.stringMatching(/^chmod go-w/),
    });
  });

  it("leaves the packages that node_modules links to whoever depends on them", async () => {
    await mkdir(at("other"));
    await writeFile(at("other", "code.js"), "");
    await chmod(at("other", "code.js"), 0o666);
    await mkdir(at("package", "node_modules", "@scope"), { recursive: true });
    await symlink(at("other"), at("package", "node_modules", "other"));
    await symlink(at("other"), at("package", "node_modules", "@scope", "other"));
    expect(await tree()).toBeUndefined();
    await chmod(at("other"), 0o777);
    expect(await tree()).toMatchObject({ path: at("other") });
  });

  it("finds what belongs to somebody else", async () => {
    const other = ME + 1;
    const found = await new TrustedFiles(other).distrustOf(at("package"));
    // As root every file here is root's, whom everybody trusts.
    if (ME === 0) expect(found).toBeUndefined();
    else
      expect(found?.problem).toMatch(
        new RegExp(`belongs to uid ${ME}, not to root or to this user \\(uid ${other}\\)$`),
      );
  });

  it.runIf(ME === 0)("finds what root has left to somebody else", async () => {
    await chown(at("package", "lib"), 4321, 4321);
    expect(await new TrustedFiles(0).distrustOf(at("package", "lib", "index.js"))).toEqual({
      path: at("package", "lib"),
      problem: `${at("package", "lib")} belongs to uid 4321, not to root or to this user (uid 0)`,
      remedy: `chown 0 ${at("package", "lib")}`,
    });
  });

  it("trusts no loop of links and nothing that is not there", async () => {
    await symlink(at("b"), at("a"));
    await symlink(at("a"), at("b"));
    expect(await new TrustedFiles(ME).distrustOf(at("a", "x"))).toMatchObject({
      problem: expect.stringMatching(/looked at/),
    });
    expect(await new TrustedFiles(ME).distrustOf(at("none"))).toMatchObject({ path: at("none") });
    expect(dirname(at("none"))).toBe(folder);
  });
});
