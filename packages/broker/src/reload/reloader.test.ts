import { writeFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AdminService, ReadinessReason, SigningService } from "@basil/proto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CATALOG_DOCUMENT, POLICY_DOCUMENT } from "../../test/documents.js";
import { type MemoryAudit, memoryAudit } from "../../test/memory-audit.js";
import { hold, type MemoryBackend, memoryBackend } from "../../test/memory-backend.js";
import { SocketClient } from "../../test/socket-client.js";
import { testBroker } from "../../test/test-broker.js";
import { type Broker, createBroker } from "../broker.js";
import { documentFiles } from "./document-source.js";
import type { ReloadEvent } from "./reloader.js";

let folder: string;
let files: { catalog: string; policy: string };
let audit: MemoryAudit;
let backend: MemoryBackend;
let broker: Broker;
let client: SocketClient;

const catalog = structuredClone(CATALOG_DOCUMENT);
const policy = structuredClone(POLICY_DOCUMENT);
policy.rules.push({ id: "reload", subjects: ["alice"], action: ["op:reload"], target: ["broker.reload"] });

const put = (what: "catalog" | "policy", document: unknown) =>
  writeFile(files[what], typeof document === "string" ? document : JSON.stringify(document));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-reload-"));
  files = { catalog: join(folder, "catalog.json"), policy: join(folder, "policy.json") };
  await put("catalog", catalog);
  await put("policy", policy);
  audit = memoryAudit();
  backend = memoryBackend();
  const documents = documentFiles(files);
  broker = await createBroker({ ...(await documents.read()), documents, backends: [backend], audit });
  await broker.listen({ path: join(folder, "s") });
  client = new SocketClient(join(folder, "s"));
});
afterEach(async () => {
  client.grpc.close();
  await broker.close(0);
  await rm(folder, { recursive: true });
});

const sign = (keyId: string) => client.call(SigningService, "sign", { keyId });
const without = (id: string) => ({ ...policy, rules: policy.rules.filter((rule) => rule.id !== id) });

describe("Broker.reload (§5.6)", () => {
  it("serves a changed policy from the next request on, and says what it grants", async () => {
    await expect(sign("other.p256")).rejects.toMatchObject({ code: 7 });
    const rules = [...policy.rules, { id: "all", subjects: ["alice"], action: ["*"], target: ["other.*", "app.ed"] }];
    await put("policy", { ...policy, rules });
    expect(await broker.reload()).toEqual({
      applied: true,
      checked: false,
      previousGeneration: 1,
      newGeneration: 2,
      keyCount: 10,
      grantCount: 16 + 2 + 1 + 17 * 2,
    });
    expect(((await sign("other.p256")).signature as Uint8Array).length).toBe(64);
    expect(audit.records.at(-1)).toMatchObject({ generation: 2, decision: "allow" });
  });

  it("lets a request that is under way finish on what it began with", async () => {
    const held = hold(backend);
    const call = sign("app.p256");
    await held.called;
    await put("policy", without("app"));
    expect(await broker.reload()).toMatchObject({ applied: true });
    held.release();
    expect(((await call).signature as Uint8Array).length).toBe(64);
    expect(audit.records.at(-1)).toMatchObject({ generation: 1 });
    await expect(sign("app.p256")).rejects.toMatchObject({ code: 7 });
  });

  it("shows the new generation in readiness at once", async () => {
    expect(await client.call(AdminService, "readiness", {})).toMatchObject({ generation: 1n });
    const optional = structuredClone(catalog);
    optional.keys["app.late"].missing = "error";
    await put("catalog", optional);
    await broker.reload();
    expect(await client.call(AdminService, "readiness", {})).toMatchObject({
      generation: 2n,
      ready: false,
      reason: ReadinessReason.REQUIRED_KEY_MISSING,
      keysRequiredMissing: 1,
    });
  });

  it.for([
    ["a policy that is no JSON", "policy", "{", "validation_failed", "policy"],
    [
      "a key at another path",
      "catalog",
      { "app.ed": { ...catalog.keys["app.ed"], path: "alias/x" } },
      "routing_shape_changed",
      "/keys/app.ed/path",
    ],
    [
      "a new key",
      "catalog",
      { "app.new": { ...catalog.keys["app.ed"], path: "alias/new" } },
      "routing_shape_changed",
      "/keys/app.new",
    ],
  ] as const)("refuses %s by name, and changes nothing", async ([, what, change, reason, named]) => {
    await put(what, typeof change === "string" ? change : { ...catalog, keys: { ...catalog.keys, ...change } });
    const result = await broker.reload();
    expect(result).toMatchObject({
      applied: false,
      previousGeneration: 1,
      newGeneration: 1,
      keyCount: 0,
      grantCount: 0,
      rejection: { reason },
    });
    if (reason !== "validation_failed") expect(result.rejection?.message).toContain(named);
    expect(broker.generation).toBe(1);
    expect((await sign("app.p256")).signature).toBeDefined();
  });

  it("refuses what the backends cannot do", async () => {
    const poor = structuredClone(catalog);
    poor.backends.mem.mintKeyTypes = ["ed25519"];
    await put("catalog", poor);
    expect(await broker.reload()).toMatchObject({ rejection: { reason: "validation_failed" } });
  });

  it.for(["catalog", "policy"] as const)("refuses when the %s cannot be read", async (what) => {
    await rm(files[what]);
    expect(await broker.reload()).toMatchObject({ rejection: { reason: `${what}_read_failed` } });
  });

  it("refuses a document that changes while it is read", async () => {
    let writes = 0;
    const writer = setInterval(
      () => writeFileSync(files.policy, `${JSON.stringify(policy)}${" ".repeat(++writes)}`),
      0,
    );
    try {
      await expect
        .poll(async () => (await broker.reload({ check: true })).rejection?.reason)
        .toBe("inputs_changed_during_read");
    } finally {
      clearInterval(writer);
    }
  });

  it("refuses without documents", async () => {
    const bare = await testBroker();
    expect(await bare.reload()).toMatchObject({ rejection: { reason: "no_reload_inputs" } });
    await bare.close();
  });

  it("only tells what would be when asked to check", async () => {
    await put("policy", without("admin"));
    expect(await broker.reload({ check: true })).toMatchObject({ applied: false, checked: true, newGeneration: 2 });
    expect(broker.generation).toBe(1);
  });

  it("tells of each as it goes, one after the other, whoever asked; of a check nothing", async () => {
    const told: unknown[] = [];
    const documents = documentFiles(files);
    const onReload = (event: ReloadEvent) => {
      told.push(event.state === "done" ? event.result?.newGeneration : event.state);
      if (event.state === "done") throw new Error("the program's own fault");
    };
    const options = { ...(await documents.read()), documents, onReload, backends: [memoryBackend()] };
    await using watched = await createBroker(options);
    await watched.reload({ check: true });
    await Promise.all([watched.reload(), watched.reload({ actor: { kind: "unix_uid", id: "7" } })]);
    await put("policy", "{");
    await watched.reload();
    expect(told).toEqual(["reading", 2, "reading", 3, "reading", 3]);
  });

  it("numbers reloads that come together one after the other", async () => {
    const results = await Promise.all([broker.reload(), broker.reload(), broker.reload()]);
    expect(results.map(({ newGeneration }) => newGeneration)).toEqual([2, 3, 4]);
  });

  it("is recorded, whoever asked", async () => {
    await broker.reload();
    await put("policy", "{");
    await client.call(AdminService, "reload", {});
    expect(audit.records).toMatchObject([
      {
        event: { kind: "basil.audit.reload", version: 1 },
        actor: { kind: "signal", id: "SIGHUP" },
        outcome: "applied",
        reason: "signal",
        previous_generation: 1,
        generation: 2,
      },
      {
        event: { kind: "basil.audit.reload" },
        actor: { kind: "unix_uid", id: String(process.getuid?.()) },
        outcome: "rejected",
        reason: "validation_failed",
      },
      { op: "reload", target_id: "broker.reload", decision: "allow", result: "ok" },
    ]);
  });
});

describe("a reload whose record is not taken", () => {
  afterEach(() => vi.useRealTimers());

  it("waits ten seconds for it and no longer", async () => {
    const asked = Promise.withResolvers<void>();
    audit.before = () => {
      asked.resolve();
      return new Promise(() => {});
    };
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const reloaded = broker.reload();
    await asked.promise;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await reloaded).toMatchObject({ applied: true, newGeneration: 2 });
  });
});

describe("AdminService.Reload (§5.6)", () => {
  it("answers OK with the rejection when the candidate is refused", async () => {
    await put("policy", "{");
    expect(await client.call(AdminService, "reload", { check: true })).toMatchObject({
      applied: false,
      previousGeneration: 1n,
      newGeneration: 1n,
      rejection: { reason: "validation_failed" },
    });
  });
});
