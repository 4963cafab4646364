import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Deployment } from "./deployment.js";

const PLUGIN = 'export const plugin = makePlugin("acme");';
let deployment: Deployment;
beforeEach(async () => {
  deployment = await Deployment.make();
});
afterEach(() => deployment[Symbol.asyncDispose]());

describe("a backend package that agent.toml names", () => {
  beforeEach(async () => {
    await deployment.install("@acme/backend", { code: PLUGIN });
    await deployment.catalog({ main: "acme" });
    await deployment.configure(["@acme/backend"]);
  });

  it("serves its kind, from the folder of agent.toml and whatever the working directory", async () => {
    expect(await deployment.seal({ main: "acme" })).toMatchObject({ exitCode: 0, stderr: "" });
    await using agent = await deployment.agent();
    const signed = await deployment.basil(["sign", "--key-id", "main.p256", "a message"]);
    expect(signed, agent.log()).toMatchObject({ exitCode: 0 });
    const verified = ["verify", "--key-id", "main.p256", "--signature", signed.stdout.trim(), "a message"];
    expect(await deployment.basil(verified)).toMatchObject({ exitCode: 0, stdout: "true\n" });
    const sealed = await deployment.basil(["encrypt", "--key-id", "main.aead", "--json", "a secret"]);
    const { algorithm, version, nonce, ciphertext } = JSON.parse(sealed.stdout) as Record<string, string>;
    const envelope = ["--algorithm", `${algorithm}`, "--version", `${version}`, "--nonce", `${nonce}`];
    const opened = ["decrypt", "--key-id", "main.aead", ...envelope, "--ciphertext", `${ciphertext}`, "--raw"];
    expect(await deployment.basil(opened)).toMatchObject({ exitCode: 0, stdout: "a secret" });
    expect((await deployment.basil(["status"])).stdout).toContain("acme");
    expect(agent.log()).toContain("@acme/backend");
    expect(await readFile(deployment.path("audit.jsonl"), "utf8")).toContain('"resource":"acme:p256"');
  });

  it("keeps its kind known across a reload", async () => {
    await deployment.seal({ main: "acme" });
    await using agent = await deployment.agent();
    // The socket is there a moment before the agent listens to SIGHUP.
    const hangUp = () => {
      void agent.stop("SIGHUP");
      return agent.log();
    };
    await expect.poll(hangUp, { timeout: 20_000, interval: 500 }).toMatch(/catalog and policy (read again|refused)/);
    expect(agent.log()).toContain("catalog and policy read again");
    expect(agent.log()).not.toContain("catalog and policy refused");
  });

  it("takes part in catalog check, explain, policy and doctor", async () => {
    await deployment.seal({ main: "acme" });
    const checked = await deployment.basil(["catalog", "check", "-c", "agent.toml"]);
    expect(checked).toMatchObject({ exitCode: 0, stderr: "" });
    expect(checked.stdout).toMatch(/main\s+acme\s+installed\s+3/);
    const explained = ["explain", "-c", "agent.toml", "--subject", "me", "--op", "sign", "--key", "main.ed"];
    expect(await deployment.basil(explained)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("ALLOW") });
    expect(await deployment.basil(["policy", "lint", "-c", "agent.toml"])).toMatchObject({ exitCode: 0 });
    const { stdout } = await deployment.basil(["doctor", "-c", "agent.toml", "--keys", "--json"]);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string; detail: string }[] };
    const row = (name: string) => checks.find((check) => check.name === name);
    expect(row("feature_compatibility")).toMatchObject({
      status: "ok",
      detail: "backend kinds installed: acme (@acme/backend)",
    });
    expect(row("capability")).toMatchObject({ status: "ok", detail: expect.stringContaining("1 backend checked") });
    expect(row("key_material")?.detail).toBe("0 of 3 keys are there; the rest may be missing");
  });

  it("has its capabilities held against what the catalog requires", async () => {
    const text = await readFile(deployment.path("catalog.json"), "utf8");
    await deployment.write("catalog.json", text.replaceAll('"ed25519"', '"ecdsa-p384"'));
    const { exitCode, stdout } = await deployment.basil(["catalog", "check", "-c", "agent.toml"]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/main\.ed.*ecdsa-p384/);
  });

  it("has its credential read by its schema", async () => {
    const create = (spec: string, ...flags: readonly string[]) => {
      const slot = ["--slot", "passphrase:file=pass"];
      return deployment.basil(["bundle", "create", "other.sealed", "--force", ...slot, "--backend", spec, ...flags]);
    };
    const flags = ["-c", "agent.toml"];
    const unknown = await create("id=main,type=acme,realm=r,colour=red", ...flags);
    expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('acme takes no field "colour"') });
    const missing = await create("id=main,type=acme,token=t", ...flags);
    expect(missing).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("realm") });
    const kind = await create("id=main,type=acme,realm=r");
    expect(kind).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('type "acme" is unknown') });
    expect(kind.stderr).toContain("--plugin");
    await deployment.write("token", "the token\n", 0o600);
    expect(await create("id=main,type=acme,realm=r,token-file=token", ...flags)).toMatchObject({ exitCode: 0 });
    const loose = await create("id=main,type=acme,realm=r,realm-file=token", ...flags);
    expect(loose).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('takes no field "realm-file"') });
  });
});

describe("a backend package of CommonJS", () => {
  it("is one as well, and so is an export behind a slash", async () => {
    const module = `
      const key = { operations: ["sign", "verify", "publicKey", "createKey"] };
      const aead = { operations: ["encrypt", "decrypt", "createKey"] };
      const capabilities = { engines: ["transit"], keyTypes: { ed25519: key, "ecdsa-p256": key, "aes-256-gcm": aead }, features: [] };
      exports.plugin = { kind: "older", capabilities, credentialSchema: { safeParse: (data) => ({ success: true, data }) }, async open() {} };`;
    const entry = { type: "commonjs", exports: undefined, main: "index.js" };
    await deployment.install("older-backend", { module, manifest: entry });
    await deployment.catalog({ main: "older" });
    for (const name of ["older-backend", "older-backend/index.js"]) {
      await deployment.configure([name]);
      expect(await deployment.basil(["catalog", "check", "-c", "agent.toml"])).toMatchObject({
        exitCode: 0,
        stderr: "",
      });
    }
  });
});

describe("--plugin", () => {
  beforeEach(async () => {
    await deployment.install("@acme/backend", { code: PLUGIN });
    await deployment.catalog({ main: "acme" });
    await deployment.configure([]);
  });
  const flags = ["--plugin", "@acme/backend", "-c", "agent.toml"];

  it("names a package besides the configuration's: bundle, explain, catalog, policy and doctor take it", async () => {
    expect(await deployment.seal({ main: "acme" }, flags)).toMatchObject({ exitCode: 0 });
    const open = ["--open", "passphrase:file=pass"];
    const set = ["bundle", "set-backend", "creds.sealed", "--backend", "id=main,type=acme,realm=s", ...open, ...flags];
    expect(await deployment.basil(set)).toMatchObject({
      exitCode: 0,
      stdout: "backend main replaced in creds.sealed\n",
    });
    const shown = await deployment.basil(["bundle", "show", "creds.sealed", ...open]);
    expect(shown.stdout).toContain("backend main: kind=acme");
    expect(await deployment.basil(["catalog", "check", ...flags])).toMatchObject({ exitCode: 0 });
    const explained = ["explain", "--subject", "me", "--op", "sign", "--key", "main.ed", ...flags];
    expect(await deployment.basil(explained)).toMatchObject({ exitCode: 0 });
    expect(await deployment.basil(["policy", "lint", ...flags])).toMatchObject({ exitCode: 0 });
    const { stdout } = await deployment.basil(["doctor", "--json", ...flags]);
    expect(stdout).toContain("backend kinds installed: acme (@acme/backend)");
  });

  it("is found from the folder of the configuration, not from the working directory", async () => {
    const elsewhere = await Deployment.make();
    try {
      await elsewhere.install("@acme/elsewhere", { code: PLUGIN });
      const config = deployment.path("agent.toml");
      const words = ["catalog", "check", "-c", config, "--plugin"];
      expect(await deployment.basil([...words, "@acme/backend"], elsewhere.folder)).toMatchObject({ exitCode: 0 });
      const refused = await deployment.basil([...words, "@acme/elsewhere"], elsewhere.folder);
      expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
      expect(refused.stderr).toContain(`it is not installed in ${deployment.folder} or a folder above`);
      expect(refused.stderr).toContain(`npm install --prefix ${deployment.folder} @acme/elsewhere`);
    } finally {
      await elsewhere[Symbol.asyncDispose]();
    }
  });

  it("is found from the working directory when no configuration is named", async () => {
    const words = ["catalog", "check", "--catalog", "catalog.json"];
    expect(await deployment.basil([...words, "--plugin", "@acme/backend"])).toMatchObject({ exitCode: 0 });
    const without = await deployment.basil(words);
    expect(without).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("acme") });
  });
});
