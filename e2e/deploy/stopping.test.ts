import { once } from "node:events";
import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "@basil/aws-kms-emulator";
import { verifyAudit } from "@basil/broker";
import { connect } from "@basil/client";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { basil } from "../cli/typed.ts";
import { policyOfMe } from "../policy-of-me.ts";
import { SEED_KEYS } from "../seed-keys.ts";
import { type RunningAgent, Stack, seed } from "../stack.ts";

const MESSAGE = new TextEncoder().encode("a message");
const DRAIN_SECONDS = 2;

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({
    catalog: await seed.text("catalog.json"),
    policy: policyOfMe(
      { id: "keys", subjects: ["me"], action: ["*"], target: ["jwt.**"] },
      { id: "admin", subjects: ["me"], action: ["op:watch"], target: ["broker.*"] },
    ),
    emulator: { keys: SEED_KEYS },
    config: `drain-timeout-secs = ${DRAIN_SECONDS}`,
  });
});
afterEach(() => stack.emulator.faults.clear());
afterAll(() => stack?.[Symbol.asyncDispose]());

/** An agent that stops takes its socket away first. */
const socketGone = () =>
  access(stack.socket).then(
    () => false,
    () => true,
  );

/** A signature that KMS has been asked for and has not given. */
async function signing(fault: Fault) {
  const basil = await connect(stack.socket);
  await basil.sign("jwt.signing.primary", MESSAGE);
  const { faults } = stack.emulator;
  faults.add({ fault, operation: "Sign" });
  faults.add({ fault, operation: "Sign", times: Number.POSITIVE_INFINITY });
  const outcome = basil.sign("jwt.signing.primary", MESSAGE).then(
    (signature) => ({ bytes: signature.length }),
    (error: { code: string }) => ({ code: error.code }),
  );
  // The first is taken when the request arrives, which is written down only when it is answered.
  while (faults.pending.length > 1) await sleep(10);
  return { outcome, [Symbol.asyncDispose]: () => basil[Symbol.asyncDispose]() };
}

/** Sends the signals, each when the one before was noticed, and waits for the end. */
async function stopped({ process: agent }: RunningAgent, ...signals: NodeJS.Signals[]) {
  const from = performance.now();
  const ended = once(agent, "close");
  for (const [index, signal] of signals.entries()) {
    agent.kill(signal);
    while (index < signals.length - 1 && !(await socketGone())) await sleep(10);
  }
  const [code, signal] = await ended;
  return { code, signal, ms: performance.now() - from };
}

describe("SIGTERM", () => {
  it("answers what is in flight, and takes nothing new meanwhile", async () => {
    await using agent = await stack.startAgent();
    await using call = await signing({ kind: "latency", ms: 800 });
    const end = stopped(agent, "SIGTERM");
    await expect.poll(socketGone, { timeout: 5000 }).toBe(true);
    await expect(access(stack.socket)).rejects.toMatchObject({ code: "ENOENT" });
    expect(await call.outcome).toEqual({ bytes: 64 });
    expect(await end).toMatchObject({ code: 0 });
    expect((await stack.audit()).at(-2)).toMatchObject({ op: "sign", result: "ok" });
  });

  it("gives up on what is not answered in the time that drain-timeout-secs allows", async () => {
    await using agent = await stack.startAgent();
    await using call = await signing({ kind: "hang" });
    const { code, ms } = await stopped(agent, "SIGTERM");
    expect(code).toBe(0);
    expect(ms).toBeGreaterThan(DRAIN_SECONDS * 1000 - 200);
    expect(ms).toBeLessThan(DRAIN_SECONDS * 1000 + 3000);
    expect(await call.outcome).toEqual({ code: expect.stringMatching(/UNAVAILABLE|UNREACHABLE|DEADLINE|CANCELLED/) });
  });

  it("is not held up by a stream, nor by a connection that says nothing", async () => {
    await using agent = await stack.startAgent();
    await using basil = await connect(stack.socket);
    const events = basil.watch()[Symbol.asyncIterator]();
    const next = events.next().catch(() => undefined);
    const silent = createConnection(stack.socket);
    await once(silent, "connect");
    await expect
      .poll(async () => (await stack.audit()).some(({ op }) => op === "watch"), { timeout: 10_000 })
      .toBe(true);
    const { code, ms } = await stopped(agent, "SIGTERM");
    expect(code).toBe(0);
    expect(ms).toBeLessThan(DRAIN_SECONDS * 1000 + 1000);
    silent.destroy();
    await next;
  });

  it.for([
    ["SIGTERM", "SIGTERM"],
    ["SIGTERM", "SIGINT"],
    ["SIGINT", "SIGQUIT"],
  ] as const)("%s and then %s ends the process at once, and the next agent starts", async ([first, second]) => {
    await using agent = await stack.startAgent();
    await using call = await signing({ kind: "hang" });
    const { signal, ms } = await stopped(agent, first, second);
    expect(signal).toBe(second);
    expect(ms).toBeLessThan(DRAIN_SECONDS * 1000 - 200);
    await call.outcome;
    stack.emulator.faults.clear();
    await using next = await stack.startAgent();
    expect(await next.stop()).toMatchObject({ code: 0 });
    expect(await verifyAudit(createReadStream(join(stack.folder, "audit.jsonl")))).toMatchObject({ problems: [] });
  });

  it("stops an agent that is still starting, which never had a socket", async () => {
    stack.emulator.clearCalls();
    stack.emulator.faults.add({ fault: { kind: "hang" }, operation: "DescribeKey", times: Number.POSITIVE_INFINITY });
    const stop = Promise.withResolvers<() => void>();
    const ended = basil(["agent", "--config", join(stack.folder, "agent.toml")], {
      env: stack.env,
      onSpawn: (kill) => stop.resolve(() => kill("SIGTERM")),
    });
    while (stack.emulator.calls.every(({ operation }) => operation !== "DescribeKey")) await sleep(20);
    (await stop.promise)();
    expect(await ended).toMatchObject({ exitCode: 0 });
    await expect(access(stack.socket)).rejects.toMatchObject({ code: "ENOENT" });
  });
});
