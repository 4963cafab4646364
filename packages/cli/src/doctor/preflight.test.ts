import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBundle, passphraseSlot } from "@basil/bundle";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolveSettings, type SettingsOptions } from "../config/agent-settings.js";
import type { CommandContext } from "../context.js";
import type { Check } from "./check.js";
import { preflight } from "./preflight.js";

const SEED_CATALOG = join(import.meta.dirname, "../../../../vectors/seed/catalog.json");

const POLICY = {
  schemaVersion: 2,
  subjects: { me: { allOf: [{ kind: "unix", uid: 1 }] } },
  rules: [{ id: "signs", subjects: ["me"], action: ["op:sign"], target: ["jwt.signing.primary"] }],
};
let folder: string;
const at = (name: string): string => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-doctor-"));
  await copyFile(SEED_CATALOG, at("catalog.json"));
  await writeFile(at("policy.json"), JSON.stringify(POLICY), { mode: 0o644 });
  await writeFile(at("pass"), "correct horse", { mode: 0o600 });
  await createBundle(at("creds.sealed"), {
    slots: [{ provider: passphraseSlot(new TextEncoder().encode("correct horse"), { logN: 4 }) }],
  });
  await config("");
});
afterEach(() => rm(folder, { recursive: true }));

async function config(more: string): Promise<void> {
  const text = `catalog = "catalog.json"\npolicy = "policy.json"\nbundle = "creds.sealed"\nsocket = "agent.sock"\n`;
  await writeFile(
    at("agent.toml"),
    `${text}${more.includes("[unlock]") ? "" : `[unlock]\nunlock-passphrase-file = "${at("pass")}"\n`}${more}`,
    { mode: 0o644 },
  );
}

function rows(options: SettingsOptions = {}): Promise<Map<string, Check>> {
  return rowsOf({ config: "agent.toml", ...options });
}

async function rowsOf(options: SettingsOptions): Promise<Map<string, Check>> {
  const context = {
    env: { PATH: "" },
    cwd: folder,
    uid: process.geteuid?.() ?? 0,
    signal: new AbortController().signal,
  } as unknown as CommandContext;
  const settings = await resolveSettings(options, context);
  return new Map((await preflight(settings, context)).map((check) => [check.name, check]));
}

describe("preflight", () => {
  it("warns of a uid that is two subjects and therefore denied everything", async () => {
    const subject = { allOf: [{ kind: "unix", uid: 7 }] };
    const rules = [{ id: "r", subjects: ["a", "b"], action: ["op:sign"], target: ["jwt.**"] }];
    const policy = { schemaVersion: 2, subjects: { a: subject, b: subject }, rules };
    await writeFile(at("policy.json"), JSON.stringify(policy));
    expect((await rows()).get("policy_findings")).toMatchObject({
      status: "warn",
      detail: '/subjects/b: uid 7 matches "a" and "b", so it is denied everything',
    });
  });

  it("finds nothing wrong with a whole deployment", async () => {
    const found = [...(await rows()).values()];
    expect(found.filter(({ status }) => status !== "ok")).toEqual([]);
    expect(found.map(({ name }) => name).slice(0, 10)).toEqual([
      "catalog_policy",
      "capability",
      "invocation_bindings",
      "feature_compatibility",
      "backend_binary",
      "socket",
      "bundle_readable",
      "bundle_perms",
      "bundle_freshness",
      "backend_reachability",
    ]);
  });

  it("gives a remedy with every row that is not ok", async () => {
    await rm(at("catalog.json"));
    await rm(at("creds.sealed"));
    const found = [...(await rows({ policy: "absent" })).values()];
    const bad = found.filter(({ status }) => status !== "ok");
    expect(bad.length).toBeGreaterThan(4);
    for (const { remediation } of bad) expect(remediation).not.toBe("");
    for (const { remediation } of found.filter(({ status }) => status === "ok")) expect(remediation).toBe("");
  });

  it("counts one thing as one", async () => {
    const found = await rows();
    expect(found.get("catalog_policy")?.detail).toMatch(/^1 backend, 2 keys, \d+ rules?$/);
    expect(found.get("capability")?.detail).toMatch(/^1 backend checked, /);
  });

  it("names every problem of both documents", async () => {
    await writeFile(at("catalog.json"), '{"schemaVersion":1,"keys":{"Bad Name":{}}}');
    await writeFile(at("policy.json"), '{"schemaVersion":2,"colour":1}');
    const { status, detail } = (await rows()).get("catalog_policy") as Check;
    expect(status).toBe("fatal");
    expect(detail).toContain("Bad Name");
    expect(detail).toContain("colour");
  });

  it("finds a key that the backend may not generate", async () => {
    const catalog = JSON.parse(await readFile(SEED_CATALOG, "utf8"));
    catalog.backends.kms.mintKeyTypes = [];
    catalog.keys["jwt.signing.primary"].missing = "generate";
    await writeFile(at("catalog.json"), JSON.stringify(catalog));
    const check = (await rows()).get("capability") as Check;
    expect(check).toMatchObject({ status: "fatal" });
    expect(check.detail).toContain("jwt.signing.primary");
    await config("");
    await writeFile(at("agent.toml"), `capability-policy = "off"\n${await readFile(at("agent.toml"), "utf8")}`);
    expect((await rows()).get("capability")).toMatchObject({ status: "ok" });
  });

  it("names a backend kind this program has no package for", async () => {
    const catalog = JSON.parse(await readFile(SEED_CATALOG, "utf8"));
    catalog.backends.kms.kind = "gcp-kms";
    await writeFile(at("catalog.json"), JSON.stringify(catalog));
    const check = (await rows()).get("feature_compatibility") as Check;
    expect(check).toMatchObject({ status: "fatal" });
    expect(check.detail).toContain('"gcp-kms"');
  });

  it("names a feature that is switched on and not built", async () => {
    await config("[jwks]\nenable = true\n");
    expect((await rows()).get("feature_compatibility")).toMatchObject({
      status: "fatal",
      detail: expect.stringContaining("[jwks] enable"),
    });
  });

  it("warns of a loose bundle, and refuses it when the configuration is strict", async () => {
    await chmod(at("creds.sealed"), 0o644);
    expect((await rows()).get("bundle_perms")).toMatchObject({
      status: "warn",
      detail: expect.stringContaining("0644"),
    });
    await config(`[unlock]\nstrict-bundle-perms = true\nunlock-passphrase-file = "${at("pass")}"\n`);
    expect((await rows()).get("bundle_perms")).toMatchObject({ status: "fatal" });
  });

  it("finds a bundle that is older than its sidecar", async () => {
    await writeFile(at("creds.sealed.epoch"), "7\n");
    expect((await rows()).get("bundle_freshness")).toMatchObject({
      status: "fatal",
      detail: expect.stringContaining("epoch 7"),
    });
    await rm(at("creds.sealed.epoch"));
    expect((await rows()).get("bundle_freshness")).toMatchObject({ status: "warn" });
  });

  it("finds a bundle that is damaged", async () => {
    await writeFile(at("creds.sealed"), "not a bundle", { mode: 0o600 });
    expect((await rows()).get("bundle_freshness")).toMatchObject({ status: "fatal" });
  });

  it("warns of an unlock file that is gone or open to others", async () => {
    await chmod(at("pass"), 0o640);
    expect((await rows()).get("unlock_inputs")).toMatchObject({
      status: "warn",
      detail: expect.stringContaining("0640"),
    });
    await rm(at("pass"));
    expect((await rows()).get("unlock_inputs")).toMatchObject({
      status: "warn",
      detail: expect.stringContaining("not there"),
    });
  });

  it("follows a link to the unlock file, as the agent does", async () => {
    await symlink(at("pass"), at("linked"));
    await config(`[unlock]\nunlock-passphrase-file = "linked"\n`);
    expect((await rows()).get("unlock_inputs")).toMatchObject({ status: "ok", detail: "passphrase file linked" });
  });

  it("finds an unlock file that is a folder, and a configuration without any", async () => {
    await mkdir(at("folder"), { mode: 0o700 });
    await config(`[unlock]\nunlock-passphrase-file = "folder"\n`);
    expect((await rows()).get("unlock_inputs")).toMatchObject({
      status: "warn",
      detail: "the passphrase file folder is not a plain file",
    });
    await config("[unlock]\n");
    expect((await rows()).get("unlock_inputs")).toMatchObject({ status: "fatal" });
  });

  it("warns that no unlock method is known where the documents are named and no configuration is", async () => {
    const documents = { catalog: "catalog.json", policy: "policy.json", bundle: "creds.sealed" };
    expect((await rowsOf(documents)).get("unlock_inputs")).toMatchObject({ status: "warn" });
  });

  it("gives remedies that a shell takes as they stand", async () => {
    const mode = 0o644;
    await copyFile(at("creds.sealed"), at("it's here"));
    await chmod(at("it's here"), mode);
    expect((await rows({ bundle: "it's here" })).get("bundle_perms")?.remediation).toBe(
      `chmod 0600 '${folder}/it'\\''s here'`,
    );
    expect((await rows({ bundle: "a b" })).get("bundle_readable")?.remediation).toContain(
      `basil bundle create '${folder}/a b' --slot`,
    );
    expect((await rows({ socket: "no such/folder/s" })).get("socket")?.remediation).toBe(
      `create it: mkdir -p -m 0700 '${folder}/no such/folder'`,
    );
  });

  it("sends nobody to make what is there and cannot be used", async () => {
    const { remediation: bundle } = (await rows({ bundle: "pass/bundle" })).get("bundle_readable") as Check;
    expect(bundle).not.toContain("bundle create");
    const { status, remediation: socket } = (await rows({ socket: "pass/s" })).get("socket") as Check;
    expect({ status, socket }).toEqual({ status: "fatal", socket: "choose another path for socket" });
  });

  it("warns of a policy that others can rewrite", async () => {
    await chmod(at("policy.json"), 0o666);
    expect((await rows()).get("document_permissions")).toMatchObject({
      status: "warn",
      detail: expect.stringContaining("policy.json can be written by everybody"),
    });
  });

  describe("socket", () => {
    const socket = async (path: string): Promise<Check> => (await rows({ socket: path })).get("socket") as Check;

    it.for([
      ["a path that is too long", `${"x".repeat(120)}`, "fatal", /at most 10[37]/],
      ["a folder that is not there", "no/agent.sock", "fatal", /no such folder/],
      ["a file in its place", "catalog.json", "fatal", /not a socket/],
    ] as const)("refuses %s", async ([, path, status, detail]) => {
      expect(await socket(path)).toMatchObject({ status, detail: expect.stringMatching(detail) });
    });

    it("refuses a group that is not there", async () => {
      await writeFile(at("agent.toml"), `socket-group = "no-such-group"\n${await readFile(at("agent.toml"), "utf8")}`);
      expect(await socket("agent.sock")).toMatchObject({
        status: "fatal",
        detail: expect.stringContaining("no-such-group"),
      });
    });

    it("warns when every user may connect, or take the socket's place", async () => {
      await mkdir(at("open"));
      await chmod(at("open"), 0o1777);
      expect(await socket("open/agent.sock")).toMatchObject({
        status: "warn",
        detail: expect.stringContaining("written by everybody"),
      });
      await writeFile(at("agent.toml"), `socket-mode = "0666"\n${await readFile(at("agent.toml"), "utf8")}`);
      expect(await socket("agent.sock")).toMatchObject({ status: "warn", detail: expect.stringContaining("0666") });
    });

    it("tells an agent that serves from a socket left behind", async () => {
      const server = createServer().listen(at("agent.sock"));
      await new Promise((resolve) => server.once("listening", resolve));
      expect(await socket("agent.sock")).toMatchObject({ status: "warn", detail: expect.stringContaining("serves") });
      await symlink(at("agent.sock"), at("dead.sock"));
      await new Promise((resolve) => server.close(resolve));
      expect(await socket("agent.sock")).toMatchObject({ status: "ok" });
    });
  });
});
