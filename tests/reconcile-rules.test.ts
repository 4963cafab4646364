import { startKmsEmulator } from "@basil/aws-kms-emulator";
import { awsKms } from "@basil/backend-aws-kms";
import { parseCatalog } from "@basil/catalog";
import { type Backend, BackendError, type KeyProbe, type Kv2Engine, reconcile } from "@basil/core";
import { afterEach, describe, expect, it, vi } from "vitest";

/** What reconcile asks and does, rule by rule. Section numbers are those docs/differences.md uses. */

type Json = Record<string, unknown>;

function catalogOf(keys: Record<string, Json>) {
  const entries = Object.entries(keys).map(([name, key]) => [
    name,
    { backend: "b", path: `at/${name}`, writable: false, description: "a key", ...key },
  ]);
  const backend = { kind: "vault", addr: "", engines: ["transit", "kv2", "pki"], mintKeyTypes: ["ecdsa-p256"] };
  return parseCatalog(
    JSON.stringify({ schemaVersion: 1, backends: { b: backend }, keys: Object.fromEntries(entries) }),
  );
}

const asymmetric = { class: "asymmetric", keyType: "ecdsa-p256" };
const context = { signal: new AbortController().signal, requestId: "test" };

/** Holds what is at `paths`, fails at `broken`, and writes down what it is asked. */
function recorder(paths: readonly string[], broken: readonly string[] = []) {
  const calls: string[] = [];
  const held = new Set(paths);
  const answer = (call: string, path: string): KeyProbe => {
    calls.push(`${call} ${path}`);
    if (broken.includes(path)) throw new BackendError("ACCESS_DENIED", "denied", { action: "probe", resource: path });
    return held.has(path) ? { state: "present", latestVersion: 1, resource: path } : { state: "absent" };
  };
  const reads = (call: string) => async (): Promise<never> => {
    calls.push(call);
    throw new BackendError("UNSUPPORTED", "a probe reads metadata alone", { operation: call });
  };
  const kv2 = {
    probe: async (path: string) => answer("kv2.probe", path),
    get: reads("kv2.get"),
    put: reads("kv2.put"),
  } as unknown as Kv2Engine;
  const operations = ["sign", "verify", "publicKey", "encrypt", "decrypt", "createKey"] as const;
  const backend = {
    id: "b",
    kind: "vault",
    capabilities: {
      engines: ["transit", "kv2", "pki"],
      keyTypes: { "ecdsa-p256": { operations }, ed25519: { operations }, "aes-256-gcm": { operations } },
      features: [],
    },
    probe: async ({ path }: { path: string }) => answer("probe", path),
    transit: {
      createKey: async ({ path }: { path: string }) => {
        calls.push(`createKey ${path}`);
        held.add(path);
        return { keyVersion: 1, resource: path };
      },
    },
    kv2,
    pki: {},
    health: async () => ({ healthy: true }),
    [Symbol.asyncDispose]: async () => undefined,
  } as unknown as Backend;
  return { backend, calls };
}

async function run(keys: Record<string, Json>, paths: readonly string[] = [], broken: readonly string[] = []) {
  const { backend, calls } = recorder(paths, broken);
  const report = await reconcile({ catalog: catalogOf(keys), backends: new Map([["b", backend]]), context });
  return { ...report, calls, outcomes: Object.fromEntries(report.keys.map(({ key, outcome }) => [key, outcome])) };
}

describe("what becomes of a key (§5.2)", () => {
  it.for(["error", "warn", "generate"])("one that is there counts as present, with missing %s", async (missing) => {
    const { ok, outcomes, calls } = await run({ k: { ...asymmetric, missing } }, ["at/k"]);
    expect({ ok, outcomes, calls }).toEqual({ ok: true, outcomes: { k: "present" }, calls: ["probe at/k"] });
  });

  it.for([
    ["error", false, "missing"],
    ["warn", true, "warned"],
    ["generate", true, "generated"],
  ] as const)("one that is absent, with missing %s", async ([missing, ok, outcome]) => {
    expect(await run({ k: { ...asymmetric, missing } })).toMatchObject({ ok, outcomes: { k: outcome } });
  });

  it.for(["error", "warn", "generate"])("a probe that fails is fatal, with missing %s", async (missing) => {
    const { ok, outcomes } = await run({ k: { ...asymmetric, missing } }, [], ["at/k"]);
    expect({ ok, outcomes }).toEqual({ ok: false, outcomes: { k: "probe-failed" } });
  });

  it("every required key that is absent is listed, in byte order of the names", async () => {
    const { keys } = await run({ b: asymmetric, a_1: asymmetric, "a.z": asymmetric }, []);
    expect(keys.map(({ key, outcome }) => `${key} ${outcome}`)).toEqual(["a.z missing", "a_1 missing", "b missing"]);
  });

  it("nothing is made when the run is going to fail (§9.11)", async () => {
    const { ok, outcomes, calls } = await run({ made: { ...asymmetric, missing: "generate" }, required: asymmetric });
    expect({ ok, outcomes }).toEqual({ ok: false, outcomes: { made: "pending", required: "missing" } });
    expect(calls.filter((call) => call.startsWith("createKey"))).toEqual([]);
  });

  it("a second run finds what the first one made, and makes nothing", async () => {
    const { backend, calls } = recorder([]);
    const catalog = catalogOf({ k: { ...asymmetric, missing: "generate" } });
    const again = () => reconcile({ catalog, backends: new Map([["b", backend]]), context });
    expect((await again()).counts).toMatchObject({ generated: 1, present: 0 });
    expect((await again()).counts).toMatchObject({ generated: 0, present: 1 });
    expect(calls.filter((call) => call.startsWith("createKey"))).toEqual(["createKey at/k"]);
  });
});

describe("what is probed (§5.3)", () => {
  const seed = { class: "asymmetric", keyType: "ed25519", engine: "kv2", path: "at/k", publicPath: "at/k-pub" };
  const sealing = { class: "sealing", keyType: "x25519", path: "at/k", publicPath: "at/k-pub" };
  const metadata = ["probe at/k"];
  const halves = ["kv2.probe at/k", "kv2.probe at/k-pub"];

  it.for([
    ["asymmetric on transit", asymmetric, metadata],
    ["symmetric on transit", { class: "symmetric", keyType: "aes-256-gcm" }, metadata],
    ["symmetric on kv2", { class: "symmetric", keyType: "aes-256-gcm", engine: "kv2" }, metadata],
    ["asymmetric on pki", { ...asymmetric, engine: "pki", path: "pki/issue/r" }, ["probe pki/issue/r"]],
    ["asymmetric on kv2", seed, halves],
    ["sealing", sealing, halves],
    ["value", { class: "value" }, ["kv2.probe at/k"]],
    ["public", { class: "public" }, ["kv2.probe at/k"]],
  ] as [string, Json, string[]][])("%s: metadata, and never the bytes (§9.8)", async ([, key, expected]) => {
    const { ok, calls } = await run({ k: key }, ["at/k", "at/k-pub", "pki/issue/r"]);
    expect({ ok, calls }).toEqual({ ok: true, calls: expected });
  });

  it.for([
    ["a signing key in kv2", seed],
    ["a sealing key", sealing],
  ] as [string, Json][])("%s without its public half counts as absent", async ([, key]) => {
    expect(await run({ k: key }, ["at/k"])).toMatchObject({ ok: false, outcomes: { k: "missing" } });
  });
});

describe("what is probed on aws-kms (§5.3)", () => {
  afterEach(() => void vi.unstubAllEnvs());

  it("takes a NotFound of DescribeKey for absent, and a denial for a failure that names the action", async () => {
    await using emulator = await startKmsEmulator({ keys: [{ spec: "ECC_NIST_P256", aliases: ["alias/there"] }] });
    const { accessKeyId, secretAccessKey } = emulator.principals.createUser({ name: "nobody", policies: [] });
    const { region, endpoint } = emulator;
    const probeAs = async (id: string, secret: string, path: string) => {
      vi.stubEnv("AWS_ACCESS_KEY_ID", id);
      vi.stubEnv("AWS_SECRET_ACCESS_KEY", secret);
      vi.stubEnv("AWS_SESSION_TOKEN", undefined);
      await using backend = awsKms({ id: "b", region, endpoint });
      const catalog = catalogOf({ k: { ...asymmetric, path, missing: "warn" } });
      return (await reconcile({ catalog, backends: new Map([["b", backend]]), context })).keys[0];
    };
    const { rootCredentials: root } = emulator;
    expect(await probeAs(root.accessKeyId, root.secretAccessKey, "alias/none")).toMatchObject({ outcome: "warned" });
    expect(await probeAs(accessKeyId, secretAccessKey, "alias/there")).toMatchObject({
      outcome: "probe-failed",
      error: { code: "ACCESS_DENIED", message: expect.stringContaining("kms:DescribeKey") },
    });
    expect(new Set(emulator.calls.map(({ operation }) => operation))).toEqual(new Set(["DescribeKey"]));
  });

  it("fails at a value, and asks nobody", async () => {
    await using emulator = await startKmsEmulator({ keys: [] });
    const { region, endpoint } = emulator;
    await using backend = awsKms({ id: "b", region, endpoint });
    const catalog = catalogOf({ k: { class: "value", missing: "warn" } });
    const report = await reconcile({ catalog, backends: new Map([["b", backend]]), context });
    expect(report.keys).toMatchObject([{ outcome: "probe-failed", error: { code: "UNSUPPORTED" } }]);
    expect(emulator.calls).toEqual([]);
  });
});
