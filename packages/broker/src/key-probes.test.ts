import { type Catalog, parseCatalog } from "@basil/catalog";
import { type Backend, BackendError } from "@basil/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { KeyProbes, type ProbeOutcome } from "./key-probes.js";

const KEYS = 100;
const catalog: Catalog = parseCatalog(
  JSON.stringify({
    schemaVersion: 1,
    backends: { kms: { kind: "aws-kms", addr: "", engines: ["transit"] } },
    keys: Object.fromEntries(
      Array.from({ length: KEYS }, (_, n) => [
        `k${String(n).padStart(3, "0")}`,
        {
          class: "asymmetric",
          keyType: "ed25519",
          backend: "kms",
          path: `${n}`,
          writable: false,
          description: "a key",
        },
      ]),
    ),
  }),
);

type Probe = Backend["probe"];
const present: Probe = async ({ path }) => ({ state: "present", latestVersion: 1, resource: path, keyType: "ed25519" });
const silent: Probe = () => new Promise(() => {});

let probe: Probe;
let asked: number;
let probes: KeyProbes;
let closed: AbortController;
beforeEach(() => {
  vi.useFakeTimers();
  asked = 0;
  probe = present;
  const backend = {
    id: "kms",
    kind: "aws-kms",
    capabilities: { engines: ["transit"], keyTypes: { ed25519: { operations: ["sign"] } }, features: [] },
    transit: {},
    probe: ((...given) => {
      asked += 1;
      return probe(...given);
    }) as Probe,
  } as unknown as Backend;
  closed = new AbortController();
  const backends = new Map([["kms", backend]]);
  probes = new KeyProbes({ backends, closed: closed.signal, intervalMs: 10_000, catalog: () => catalog });
});
afterEach(() => {
  closed.abort();
  vi.useRealTimers();
});

/** What a round came to, and how many seconds it took. */
async function round() {
  const began = performance.now();
  let done: ReadonlyMap<string, ProbeOutcome> | undefined;
  void probes.of(catalog).then((outcomes) => {
    done = outcomes;
  });
  while (done === undefined) await vi.advanceTimersByTimeAsync(100);
  const states = [...done.values()].map(({ state }) => state);
  return { seconds: (performance.now() - began) / 1000, states };
}
const count = (states: string[], state: string) => states.filter((each) => each === state).length;

describe("KeyProbes", () => {
  it("causes one round every ten seconds, however often callers ask, and answers are at most 15 s old", async () => {
    await round();
    expect(asked).toBe(KEYS);
    for (let second = 0; second < 60; second++) {
      await vi.advanceTimersByTimeAsync(1000);
      for (let n = 0; n < 10; n++) await probes.of(catalog);
      expect(probes.ageSeconds).toBeLessThan(15);
    }
    expect(asked).toBeLessThanOrEqual(7 * KEYS);
    expect(asked).toBeGreaterThanOrEqual(6 * KEYS);
  });

  it("probes in the background while no caller asks, until the broker is closed", async () => {
    await vi.advanceTimersByTimeAsync(30_500);
    expect(asked).toBe(3 * KEYS);
    closed.abort();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toBe(3 * KEYS);
  });

  it("starts one round for any number of failed operations in ten seconds", async () => {
    await round();
    for (let n = 0; n < 1000; n++) {
      probes.operationFailed();
      await vi.advanceTimersByTimeAsync(5);
    }
    expect(asked).toBe(2 * KEYS);
  });

  it("probes a key that was made again, and no other", async () => {
    probe = async () => ({ state: "absent" });
    await round();
    probe = present;
    const entry = catalog.keys.get("k007");
    if (entry === undefined) throw new Error("the catalog has no k007");
    probes.changed(entry);
    const outcomes = await probes.of(catalog);
    expect(outcomes.get("k007")).toMatchObject({ state: "present" });
    expect(outcomes.get("k008")).toMatchObject({ state: "absent" });
    expect(asked).toBe(KEYS + 1);
  });

  it("gives up five seconds after nothing answers, however many keys there are", async () => {
    probe = silent;
    const { seconds, states } = await round();
    expect(seconds).toBeLessThan(6);
    expect(states).toHaveLength(KEYS);
    expect(count(states, "failed")).toBe(KEYS);
    expect(asked).toBe(8);
  });

  it("does not give up on the others for one key that is silent, or refused", async () => {
    probe = (key, context) => {
      if (key.name === "k003") return silent(key, context);
      if (key.name === "k004") throw new BackendError("ACCESS_DENIED", "no", { action: "kms:DescribeKey" });
      return present(key, context);
    };
    const { seconds, states } = await round();
    expect(seconds).toBeLessThan(6);
    expect(count(states, "present")).toBe(KEYS - 2);
  });

  it("ends after fifteen seconds when its backend is too slow for its keys", async () => {
    probe = async (key, context) => {
      await new Promise((later) => setTimeout(later, 4000));
      return present(key, context);
    };
    const { seconds, states } = await round();
    expect(seconds).toBeLessThan(16);
    expect(count(states, "present")).toBe(24);
    expect(count(states, "failed")).toBe(KEYS - 24);
  });
});
