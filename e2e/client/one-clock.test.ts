import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { type Client, connect } from "@basil/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policyOfMe } from "../policy-of-me.js";
import { SEED_KEYS } from "../seed-keys.js";
import { type RunningAgent, Stack, seed } from "../stack.js";

const KEY = "jwt.signing.primary";
/** Enough that what the agent does on its own, such as a health round, rounds to none a Sign. */
const SIGNS = 200;

interface Counts {
  /** Those that the HTTP pool sets for an idle connection to KMS are counted apart. */
  readonly timers: number;
  readonly idleConnections: number;
  readonly controllers: number;
}

describe("a Sign of the whole agent", () => {
  let stack: Stack;
  let agent: RunningAgent;
  let client: Client;

  beforeAll(async () => {
    stack = await Stack.start({
      catalog: await seed.text("catalog.json"),
      policy: policyOfMe({ id: "all", subjects: ["me"], action: ["op:sign"], target: ["jwt.**"] }),
      emulator: { keys: SEED_KEYS },
    });
    const preload = pathToFileURL(join(import.meta.dirname, "count-timers.mjs")).href;
    const env = { NODE_OPTIONS: `--import=${preload}`, BASIL_TEST_COUNTS: join(stack.folder, "counts.json") };
    agent = await stack.startAgent({ env });
    client = await connect(stack.socket);
    // The first signature of a key version is verified, and the first request opens a connection to KMS.
    await signAll(32);
  }, 60_000);
  afterAll(async () => {
    await client?.[Symbol.asyncDispose]();
    await agent?.[Symbol.asyncDispose]();
    await stack?.[Symbol.asyncDispose]();
  });

  /** What the agent has made since it started. */
  async function counts(): Promise<Counts> {
    const file = join(stack.folder, "counts.json");
    await rm(file, { force: true });
    agent.process.kill("SIGUSR2");
    for (;;) {
      const text = await readFile(file, "utf8").catch(() => undefined);
      if (text !== undefined) return JSON.parse(text) as Counts;
      await sleep(10);
    }
  }

  async function signAll(inFlight: number): Promise<void> {
    const message = new Uint8Array(32);
    for (let n = 0; n < SIGNS; n += inFlight) {
      await Promise.all(Array.from({ length: inFlight }, () => client.sign(KEY, message)));
    }
  }

  it.each([1, 20])("makes at most two timers and two abort controllers, %i in flight", async (inFlight) => {
    const before = await counts();
    await signAll(inFlight);
    const after = await counts();
    const perSign = (name: keyof Counts) => Math.round((after[name] - before[name]) / SIGNS);
    const aSign = { timers: perSign("timers"), controllers: perSign("controllers") };
    expect(perSign("idleConnections")).toBeLessThanOrEqual(1);
    // The request has one of each. The other timer limits the attempt to reach KMS.
    expect(aSign.timers).toBeGreaterThanOrEqual(1);
    expect(aSign.controllers).toBeGreaterThanOrEqual(1);
    expect(aSign.timers).toBeLessThanOrEqual(2);
    expect(aSign.controllers).toBeLessThanOrEqual(2);
  });
});
