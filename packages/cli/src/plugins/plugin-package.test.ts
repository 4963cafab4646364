import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findPluginPackage } from "./plugin-package.js";

let folder: string;
const at = (...names: string[]) => join(folder, ...names);
const own = (...names: string[]) => at("node_modules", "acme", ...names);

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "basil-package-")));
  await mkdir(own(), { recursive: true });
  await mkdir(at("elsewhere"));
  await writeFile(own("package.json"), JSON.stringify({ name: "acme", exports: "./index.js" }));
});
afterEach(() => rm(folder, { recursive: true }));

describe("findPluginPackage", () => {
  it("names the folder of the package, and those of its dependencies that are there", async () => {
    await writeFile(own("index.js"), "");
    await writeFile(
      own("package.json"),
      JSON.stringify({ exports: "./index.js", dependencies: { other: "*", gone: "*" } }),
    );
    await mkdir(at("node_modules", "other"));
    await writeFile(at("node_modules", "other", "package.json"), "{}");
    expect(await findPluginPackage("acme", folder)).toMatchObject({
      entry: pathToFileURL(own("index.js")),
      folders: [own(), at("node_modules", "other")],
    });
  });

  it.for([
    ["of another package", true],
    ["of no package", false],
  ] as const)("names the folder that a linked entry lies in, %s", async ([, isPackage]) => {
    await writeFile(at("elsewhere", "index.js"), "");
    if (isPackage) await writeFile(at("elsewhere", "package.json"), "{}");
    await symlink(at("elsewhere", "index.js"), own("index.js"));
    const { entry, folders } = await findPluginPackage("acme", folder);
    expect(entry).toEqual(pathToFileURL(at("elsewhere", "index.js")));
    expect([...folders].sort()).toEqual([at("elsewhere"), own()]);
  });

  it.for(["", ".", "..", "../acme", "/acme", "acme;x", "Acme", "@acme", "file:acme", "acme/ x"])(
    "finds none by %j",
    async (name) => {
      await expect(findPluginPackage(name, folder)).rejects.toMatchObject({ code: "PLUGIN_REFUSED" });
    },
  );
});
