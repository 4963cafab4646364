import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ALICE } from "../test/documents.js";
import { type MemoryAudit, memoryAudit } from "../test/memory-audit.js";
import { type MemoryBackend, memoryBackend } from "../test/memory-backend.js";
import { type LoggedLine, memoryLogger } from "../test/memory-logger.js";
import { testBroker } from "../test/test-broker.js";
import type { Broker } from "./broker.js";

const logged: LoggedLine[] = [];
let backend: MemoryBackend;
let audit: MemoryAudit;
let broker: Broker;

beforeEach(async () => {
  logged.length = 0;
  backend = memoryBackend();
  audit = memoryAudit();
  broker = await testBroker({ backends: [backend], audit, logger: memoryLogger(logged) });
});
afterEach(() => broker.close(0));

/** From now on the key's path leads to another backend key, which the probe knows as this version. */
function moveAlias(resource: string, latestVersion: number) {
  const sign = backend.transit!.sign;
  backend.transit!.sign = async (...call) => ({ ...(await sign(...call)), resource });
  backend.probe = async () => ({ state: "present", resource, latestVersion });
}
const sign = () => broker.as(ALICE).sign("app.p256", new Uint8Array());
const about = (level: string) => logged.filter((line) => line.level === level && line.fields.key === "app.p256");

describe("a key whose alias was moved by hand", () => {
  it("is served, and the operator is told once, in log, metric and audit", async () => {
    await sign();
    expect(audit.records.at(-1)).toMatchObject({ resource: "memory:alias/p256", resource_expected: null });
    moveAlias("memory:another", 1);
    expect((await sign()).length).toBe(64);
    await sign();
    await expect
      .poll(() => about("error"))
      .toMatchObject([{ fields: { expected: "memory:alias/p256", found: "memory:another" } }]);
    expect(audit.records.at(-1)).toMatchObject({ resource: "memory:another", resource_expected: "memory:alias/p256" });
    expect(await broker.metrics()).toContain('basil_key_drift_total{key="app.p256"} 2\n');
  });
});

describe("a key with a later version", () => {
  it("is what is expected from then on, without an alarm", async () => {
    moveAlias("memory:v2", 2);
    await sign();
    await expect.poll(() => about("info").length).toBe(1);
    await sign();
    expect(about("error")).toEqual([]);
    expect(audit.records.at(-1)).toMatchObject({ resource: "memory:v2", resource_expected: null });
  });
});
