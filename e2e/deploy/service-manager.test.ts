import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { basil } from "../cli/typed.ts";
import { hasProgram } from "../peers/program.ts";
import { policyOfMe } from "../policy-of-me.ts";
import { SEED_KEYS } from "../seed-keys.ts";
import { Stack, seed } from "../stack.ts";
import { ManagedAgent, type ManagedOptions } from "./managed-agent.ts";

const POLICY = policyOfMe(
  { id: "keys", subjects: ["me"], action: ["*"], target: ["payload.**"] },
  { id: "reload", subjects: ["me"], action: ["op:reload"], target: ["broker.reload"] },
);

let stack: Stack;
let names = 0;
const python = hasProgram("python3");
beforeAll(async () => {
  stack = await Stack.start({
    catalog: await seed.text("catalog.json"),
    policy: POLICY,
    emulator: { keys: SEED_KEYS },
  });
});
afterAll(() => stack?.[Symbol.asyncDispose]());

const fresh = (kind: string) => join(stack.folder, `${kind}-${++names}`);
const start = (options: Partial<ManagedOptions> = {}) => new ManagedAgent(stack, { notify: fresh("n"), ...options });
const ready = (socket: string) => basil(["ready", "--socket", socket], { env: stack.env });

describe.skipIf(!python)("basil agent under a service manager", () => {
  it("says READY when it serves and not before, and STOPPING when it stops", async () => {
    await using agent = start();
    await agent.told("READY=1");
    expect(await ready(stack.socket)).toMatchObject({ exitCode: 0 });
    await agent.signal("SIGTERM");
    expect(await agent.ended()).toBe(0);
    expect(agent.messages).toEqual(["READY=1", "STATUS=serving generation 1", "STOPPING=1"]);
    expect(agent.senders).toEqual(new Set([await agent.pid()]));
  });

  it("says nothing when it does not start", async () => {
    await writeFile(join(stack.folder, "policy.json"), "[]");
    await using agent = start();
    expect(await agent.ended()).toBe(1);
    expect(agent.messages).toEqual([]);
    await writeFile(join(stack.folder, "policy.json"), JSON.stringify(POLICY));
  });

  it("sends signs of life more often than it was told to, and reaches an abstract socket", async () => {
    await using agent = start({
      notify: `@basil-test-${process.pid}-${stack.folder.slice(-6)}`,
      env: { WATCHDOG_USEC: "400000" },
    });
    await agent.told("READY=1");
    const from = performance.now();
    await agent.told("WATCHDOG=1", 5);
    expect(performance.now() - from).toBeGreaterThan(700);
  });

  it("sends no sign of life while it does not run", async () => {
    await using agent = start({ env: { WATCHDOG_USEC: "200000" } });
    await agent.told("WATCHDOG=1");
    await agent.signal("SIGSTOP");
    const told = agent.messages.length;
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(agent.messages.length - told).toBeLessThanOrEqual(1);
    await agent.signal("SIGCONT");
    await agent.told("WATCHDOG=1", agent.messages.length + 1);
  });

  it("brackets a reload by RELOADING with the monotonic clock and READY", async () => {
    await using agent = start();
    await agent.told("READY=1");
    const before = process.hrtime.bigint() / 1000n;
    await agent.signal("SIGHUP");
    const reloading = await agent.told("RELOADING=1");
    const clock = BigInt(/^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(reloading)?.[1] ?? 0);
    expect(clock).toBeGreaterThan(before);
    expect(clock).toBeLessThan(process.hrtime.bigint() / 1000n);
    await agent.told("STATUS=serving generation 2");
    const told = agent.messages.map((message) => message.split("\n")[0]);
    expect(told).toEqual([
      "READY=1",
      "STATUS=serving generation 1",
      "RELOADING=1",
      "READY=1",
      "STATUS=serving generation 2",
    ]);
  });

  it("brackets a reload that a caller asked for like one by signal, and a check not at all", async () => {
    await using agent = start();
    await agent.told("READY=1");
    const before = process.hrtime.bigint() / 1000n;
    expect(await basil(["reload", "--check"], { env: stack.env })).toMatchObject({ exitCode: 0 });
    expect(await basil(["reload"], { env: stack.env })).toMatchObject({ exitCode: 0 });
    await agent.told("STATUS=serving generation 2");
    await writeFile(join(stack.folder, "policy.json"), "[]");
    expect(await basil(["reload"], { env: stack.env })).toMatchObject({ exitCode: 1 });
    await agent.told("STATUS=serving generation 2; the last reload was refused");
    await writeFile(join(stack.folder, "policy.json"), JSON.stringify(POLICY));
    expect(agent.messages.map((message) => message.replace(/\d{6,}/, "CLOCK"))).toEqual([
      "READY=1",
      "STATUS=serving generation 1",
      "RELOADING=1\nMONOTONIC_USEC=CLOCK",
      "READY=1",
      "STATUS=serving generation 2",
      "RELOADING=1\nMONOTONIC_USEC=CLOCK",
      "READY=1",
      "STATUS=serving generation 2; the last reload was refused",
    ]);
    for (const n of [1, 2]) {
      const [, clock = 0] = /MONOTONIC_USEC=(\d+)$/.exec(await agent.told("RELOADING=1", n)) ?? [];
      expect(BigInt(clock)).toBeGreaterThan(before);
    }
  });

  it("is READY again after a reload that was refused, and says so", async () => {
    await using agent = start();
    await agent.told("READY=1");
    await writeFile(join(stack.folder, "policy.json"), "[]");
    await agent.signal("SIGHUP");
    expect(await agent.told("STATUS=", 2)).toBe("STATUS=serving generation 1; the last reload was refused");
    await writeFile(join(stack.folder, "policy.json"), JSON.stringify(POLICY));
  });

  it("serves when nobody takes its notifications", async () => {
    await using agent = start({ env: { NOTIFY_SOCKET: join(stack.folder, "nobody") } });
    expect(await basil(["ready", "--wait", "20"], { env: stack.env })).toMatchObject({ exitCode: 0 });
    expect(agent.log).toContain("the service manager did not take a notification");
  });
});

describe.skipIf(!python)("socket activation", () => {
  it("serves at the socket that was passed, and leaves it where it is", async () => {
    const listen = fresh("s");
    await using agent = start({ listen });
    await agent.pid();
    // Connected before the agent reads a file: the manager's socket keeps the call until it is answered.
    expect(await ready(listen)).toMatchObject({ exitCode: 0 });
    expect(await ready(stack.socket)).toMatchObject({ exitCode: 3 });
    await agent.signal("SIGTERM");
    expect(await agent.ended()).toBe(0);
    await access(listen);
  });

  it("reaches the agent through the program that package managers link, which keeps the pid", async () => {
    const listen = fresh("s");
    const linked = join(import.meta.dirname, "../../node_modules/.bin/basil");
    await using agent = start({ listen, command: [linked] });
    await agent.told("READY=1");
    expect(await ready(listen)).toMatchObject({ exitCode: 0 });
    expect(agent.senders).toEqual(new Set([await agent.pid()]));
  });

  it("binds its own socket and warns when the variables name another process", async () => {
    await using agent = start({ listen: fresh("s"), listenPid: 1 });
    await agent.told("READY=1");
    expect(await ready(stack.socket)).toMatchObject({ exitCode: 0 });
    expect(agent.log).toContain("the sockets of LISTEN_FDS are for another process");
  });

  it("refuses more than one socket by name", async () => {
    await using agent = start({ listen: fresh("s"), env: { LISTEN_FDS: "2" } });
    expect(await agent.ended()).toBe(1);
    expect(agent.log).toContain('LISTEN_FDS is "2"; allowed: 1');
  });
});
