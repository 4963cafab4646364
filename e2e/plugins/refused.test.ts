import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Deployment } from "./deployment.js";

const PLUGIN = 'export const plugin = makePlugin("acme");';
let deployment: Deployment;
beforeEach(async () => {
  deployment = await Deployment.make();
  await deployment.catalog({ main: "acme" });
});
afterEach(() => deployment[Symbol.asyncDispose]());

const check = () => deployment.basil(["catalog", "check", "-c", "agent.toml"]);

describe("a backend package is refused by name, before the agent serves,", () => {
  it.for([
    [
      "that is not installed",
      "@acme/none",
      undefined,
      /@acme\/none is refused: it is not installed in .* or a folder above/,
    ],
    ["that is a path", "./backend", undefined, /"\.\/backend" is no package name/],
    ["that is a path of the system", "/usr/lib/backend", undefined, /is no package name/],
    ["that is an address", "https://example.com/x.js", undefined, /is no package name/],
    ["that is a module of Node", "fs", undefined, /the backend package fs is refused/],
    [
      "that exports no plugin",
      "@acme/backend",
      { code: "export const awesome = 1;" },
      /no export named plugin; it exports awesome/,
    ],
    [
      "that exports what is none",
      "@acme/backend",
      { code: "export const plugin = { kind: 'acme' };" },
      /is no backend plugin: credentialSchema must be.*; open must be a function/,
    ],
    [
      "whose capabilities are malformed",
      "@acme/backend",
      { code: "export const plugin = makePlugin('acme', { capabilities: { ...capabilities, engines: ['warp'] } });" },
      /capabilities\.engines has "warp"; allowed: transit, kv2, pki/,
    ],
    [
      "whose kind is misspelt",
      "@acme/backend",
      { code: "export const plugin = makePlugin('Acme Inc');" },
      /kind must be 1 to 64 of a-z.*found "Acme Inc"/,
    ],
    [
      "whose kind is Basil's own",
      "@acme/backend",
      { code: "export const plugin = makePlugin('aws-kms');" },
      /its kind "aws-kms" is one that Basil knows by itself/,
    ],
    [
      "whose kind is a credential type",
      "@acme/backend",
      { code: "export const plugin = makePlugin('openbao');" },
      /its kind "openbao" is one that Basil knows by itself/,
    ],
    [
      "that throws when it is loaded",
      "@acme/backend",
      { code: "throw new Error('the licence is over');" },
      /fails when it is loaded, with Error: the licence is over/,
    ],
    [
      "that throws a text when it is loaded",
      "@acme/backend",
      { code: "throw 'x';" },
      /fails when it is loaded, with string/,
    ],
    [
      "that is no JavaScript",
      "@acme/backend",
      { module: "export const plugin = {" },
      /fails when it is loaded, with SyntaxError/,
    ],
    [
      "that has no export for import",
      "@acme/backend",
      { code: PLUGIN, manifest: { exports: { ".": { browser: "./index.js" } } } },
      /has no such export/,
    ],
    [
      "whose entry is not there",
      "@acme/backend",
      { code: PLUGIN, manifest: { exports: "./none.js" } },
      /@acme\/backend is refused/,
    ],
  ] as const)("%s", async ([, name, options, problem]) => {
    if (options !== undefined) await deployment.install(name, options);
    await deployment.configure([name]);
    const checked = await check();
    expect(checked).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringMatching(problem) });
    expect(checked.stderr).toMatch(/^error: .*\nhint: .*\n$/);
    const { code, log, served } = await deployment.refusedAgent();
    expect({ code, served }).toEqual({ code: 1, served: false });
    expect(log).toMatch(problem);
  });

  it("that never loads", async () => {
    await deployment.install("@acme/backend", {
      code: "await new Promise((resolve) => setTimeout(resolve, 600_000));",
    });
    await deployment.configure(["@acme/backend"]);
    expect(await check()).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("the backend package @acme/backend is refused: it has not loaded in 10 s"),
    });
  });

  it("that has the kind of another one", async () => {
    for (const name of ["@acme/one", "@acme/two"]) await deployment.install(name, { code: PLUGIN });
    await deployment.configure(["@acme/one", "@acme/two"]);
    expect(await check()).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('@acme/two is refused: its kind "acme" is that of the package @acme/one too'),
    });
  });

  it("and doctor tells it in a row, and looks at everything else", async () => {
    await deployment.configure(["@acme/none"]);
    const { exitCode, stdout } = await deployment.basil(["doctor", "-c", "agent.toml", "--json"]);
    const { checks } = JSON.parse(stdout) as {
      checks: { name: string; status: string; detail: string; remediation: string }[];
    };
    const row = checks.find(({ name }) => name === "feature_compatibility");
    expect(row).toMatchObject({ status: "fatal", detail: expect.stringContaining("@acme/none") });
    expect(row?.remediation).toContain("npm install");
    expect(checks.length).toBeGreaterThan(10);
    expect(exitCode).toBe(1);
  });

  it("and the keys of [[plugin]] are held to be right", async () => {
    await deployment.configure([], '[[plugin]]\npakage = "x"');
    expect(await check()).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/pakage is not a key.*did you mean .*package/),
    });
    await deployment.configure([], 'verify-signatures = "sometimes"');
    expect(await check()).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('verify-signatures is "sometimes"; allowed: "first", "always", "never"'),
    });
  });
});

describe("what others could change is not run:", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await deployment.install("@acme/backend", { code: PLUGIN });
    await deployment.configure(["@acme/backend"]);
  });
  const path = (...names: readonly string[]) => deployment.path(...names);

  it.for([
    ["agent.toml", () => path("agent.toml"), 0o666, "0666"],
    ["agent.toml, by its group", () => path("agent.toml"), 0o664, "0664"],
    ["the folder of agent.toml", () => path(), 0o777, "0777"],
    ["node_modules", () => path("node_modules"), 0o777, "0777"],
    ["the scope's folder", () => path("node_modules", "@acme"), 0o775, "0775"],
    ["the package's folder", () => folder, 0o777, "0777"],
    ["the package's entry", () => `${folder}/index.js`, 0o666, "0666"],
    ["another file of it", () => `${folder}/backend.js`, 0o662, "0662"],
    ["its package.json", () => `${folder}/package.json`, 0o664, "0664"],
  ] as const)("%s", async ([, which, mode, shown]) => {
    await chmod(which(), mode);
    const { exitCode, stderr } = await check();
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${which()} has mode ${shown}`);
    const inPackage = which().startsWith(folder);
    expect(stderr).toContain(inPackage ? `hint: chmod -R go-w ${folder}\n` : `hint: chmod go-w ${which()}\n`);
  });

  it("a dependency, installed beside it", async () => {
    await deployment.install("@acme/backend", { code: PLUGIN, manifest: { dependencies: { helper: "1" } } });
    const helper = await deployment.install("helper", { module: "" });
    expect(await check()).toMatchObject({ exitCode: 0 });
    await writeFile(`${helper}/more.js`, "");
    await chmod(`${helper}/more.js`, 0o666);
    expect(await check()).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(`${helper}/more.js has mode 0666`),
    });
  });

  it("what a link leads to", async () => {
    const store = path("store");
    await mkdir(store);
    const real = await deployment.install("@acme/linked", { code: PLUGIN, under: store });
    await symlink(real, path("node_modules", "@acme", "linked"));
    await deployment.configure(["@acme/linked"]);
    expect(await check()).toMatchObject({ exitCode: 0 });
    await chmod(store, 0o777);
    expect(await check()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(`${store} has mode 0777`) });
  });

  it("a package that --plugin names", async () => {
    await deployment.configure([]);
    await chmod(folder, 0o777);
    const words = ["catalog", "check", "-c", "agent.toml", "--plugin", "@acme/backend"];
    expect(await deployment.basil(words)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("has mode 0777"),
    });
  });

  it("and a configuration without packages may be as it is", async () => {
    await deployment.configure([]);
    await chmod(path("agent.toml"), 0o666);
    await deployment.write("catalog.json", JSON.stringify({ schemaVersion: 1, backends: {}, keys: {} }));
    expect(await check()).toMatchObject({ exitCode: 0 });
  });
});
