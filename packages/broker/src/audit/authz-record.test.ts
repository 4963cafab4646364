import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ALICE, NOBODY } from "../../test/documents.js";
import { type MemoryAudit, memoryAudit } from "../../test/memory-audit.js";
import { type MemoryBackend, memoryBackend } from "../../test/memory-backend.js";
import { testBroker } from "../../test/test-broker.js";
import type { Broker, BrokerOptions } from "../broker.js";

const bytes = (text: string) => new TextEncoder().encode(text);
let backend: MemoryBackend;
let audit: MemoryAudit;
let broker: Broker;

beforeEach(() => {
  backend = memoryBackend();
  audit = memoryAudit();
});
afterEach(() => broker?.close(0));

async function start(options: Partial<BrokerOptions> = {}) {
  broker = await testBroker({ backends: [backend], audit, version: "1.2.3", ...options });
  return broker.as(ALICE);
}

describe("the audit record", () => {
  it("is written before the answer, and says who, what, which key and how it went", async () => {
    const alice = await start();
    let written = false;
    audit.before = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      written = true;
    };
    await alice.sign("app.p256", bytes("m"));
    expect(written).toBe(true);
    const [record] = audit.records;
    expect(Object.keys(record ?? {})).toEqual(Object.keys(record ?? {}).sort());
    expect(record).toMatchObject({
      event_kind: "basil.audit.authz",
      event_version: 3,
      generation: 1,
      op: "sign",
      target_kind: "catalog_key",
      target_id: "app.p256",
      actor_kind: "subject",
      actor_id: "alice",
      authenticated_by: ["unix_peercred:alice"],
      presenter_kind: "unix_peercred",
      presenter_id: `alice(${ALICE.uid})`,
      presenter_uid: ALICE.uid,
      presenter_pid: null,
      decision: "allow",
      outcome: "allow",
      reason: "subject:alice",
      result: "ok",
      key_version: 1,
      resource: "memory:alias/p256",
      backend_request_id: expect.stringMatching(/^call-/),
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      latency_us: expect.any(Number),
      occurred_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
  });

  it("names a caller the policy does not know by what the kernel said", async () => {
    await start();
    await broker
      .as(NOBODY)
      .sign("app.p256", bytes("m"))
      .catch(() => undefined);
    await broker
      .as({ ...NOBODY, exe: "/usr/bin/thief" })
      .sign("x\u0007y", bytes("m"))
      .catch(() => undefined);
    expect(audit.records).toMatchObject([
      {
        actor_id: "unresolved",
        authenticated_by: [],
        presenter_id: `uid:${NOBODY.uid}`,
        reason: `no_actor_subject:${NOBODY.uid}`,
      },
      {
        presenter_id: "/usr/bin/thief",
        presenter_exe: "/usr/bin/thief",
        target_id: expect.not.stringContaining("\u0007"),
      },
    ]);
  });

  it("is short, however long the name", async () => {
    const alice = await start();
    await alice.sign("a".repeat(1_000_000), bytes("m")).catch(() => undefined);
    expect(JSON.stringify(audit.records[0]).length).toBeLessThan(2000);
  });

  it("is not outdone by the log, which is as short for a refused name as the record is", async () => {
    const lines: string[] = [];
    const log = (...entry: unknown[]) => void lines.push(JSON.stringify(entry));
    const alice = await start({ logger: { info: log, warn: log, error: log } });
    await alice.sign("a".repeat(1_000_000), bytes("m")).catch(() => undefined);
    expect(lines.filter((line) => line.includes("aaaa"))).toHaveLength(1);
    expect(lines.join("\n").length).toBeLessThan(2000);
  });

  it("that cannot be written withholds the answer", async () => {
    const alice = await start();
    audit.before = () => {
      throw new Error("disk full");
    };
    await expect(alice.sign("app.p256", bytes("m"))).rejects.toMatchObject({
      code: "BACKEND_UNAVAILABLE",
      message: "the request could not be recorded",
    });
  });

  it("that could not be written before keeps backends from being asked, and health answers", async () => {
    const alice = await start();
    const before = backend.calls.length;
    audit.healthy = false;
    await expect(alice.sign("app.p256", bytes("m"))).rejects.toMatchObject({ code: "BACKEND_UNAVAILABLE" });
    expect(backend.calls.length).toBe(before);
    expect(await alice.health()).toMatchObject({ alive: true });
  });

  it("may be lost when the broker is told to serve without", async () => {
    const alice = await start({ auditFailure: "serve" });
    audit.healthy = false;
    audit.before = () => {
      throw new Error("disk full");
    };
    expect((await alice.sign("app.p256", bytes("m"))).length).toBe(64);
  });
});
