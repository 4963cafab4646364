import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasPython, pythonVenv } from "../peers/python.js";
import { SEED_KEYS } from "../seed-keys.js";
import { type RunningAgent, Stack, seed } from "../stack.js";

const SIGNING = "basil.broker.v1.SigningService";
const forever = Number.POSITIVE_INFINITY;

describe.skipIf(!hasPython())("grpcio's own health client", () => {
  let python: string;
  let stack: Stack;
  let agent: RunningAgent;
  beforeAll(async () => {
    python = await pythonVenv(["grpcio==1.85.1", "grpcio-health-checking==1.85.1"]);
    stack = await Stack.start({
      catalog: await seed.text("catalog.json"),
      policy: { schemaVersion: 2, subjects: {}, roles: {}, rules: [] },
      emulator: { keys: SEED_KEYS },
    });
    agent = await stack.startAgent();
  }, 240_000);
  afterAll(async () => {
    await agent?.[Symbol.asyncDispose]();
    await stack?.[Symbol.asyncDispose]();
  });

  /** The lines of a watching program, as they come. */
  function watch(service: string): { readonly process: ChildProcess; next(): Promise<string | undefined> } {
    const child = spawn(python, [join(import.meta.dirname, "health.py"), stack.socket, service], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return { process: child, next: async () => (await lines.next()).value as string | undefined };
  }

  it("sees the services come and go with KMS, the agent as a whole serve on, and both end when it stops", async () => {
    const signing = watch(SIGNING);
    const whole = watch("");
    for (const { next } of [signing, whole]) {
      expect(await next()).toBe("check SERVING");
      expect(await next()).toBe("watch SERVING");
    }
    stack.emulator.faults.add({ fault: { kind: "error", status: 500 }, operation: "DescribeKey", times: forever });
    expect(await signing.next()).toBe("watch NOT_SERVING");
    stack.emulator.faults.clear();
    expect(await signing.next()).toBe("watch SERVING");
    await agent.stop();
    for (const { next } of [signing, whole]) {
      expect(await next()).toBe("watch NOT_SERVING");
      expect(await next()).toBe("end");
    }
  }, 90_000);
});
