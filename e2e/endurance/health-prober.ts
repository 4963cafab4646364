// Asks the agent and the control for health, both at once, each on a new connection every time, and prints a line for
// each pair: node health-prober.ts SOCKET CONTROL PID. Ends with its standard input.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { GrpcJs } from "../protocol/drivers/grpc-js.ts";

const EVERY_MS = 100;
const PATIENCE_MS = 10_000;

/** One moment: how long each took to answer. */
export interface HealthSample {
  /** `OK`, or what the agent answered instead. */
  readonly code: string;
  readonly agentMs: number;
  readonly controlMs: number;
  /** For how long meanwhile the agent's event loop had a processor. */
  readonly ranMs: number;
  /** For how long meanwhile it could have run, or a thread it may wait for could have, and the machine ran something else. */
  readonly waitedMs: number;
}

const [socket = "", control = "", pid = ""] = process.argv.slice(2);
const ask = async (path: string) => {
  await using driver = new GrpcJs();
  const startedAt = performance.now();
  const { code } = await driver.call(path, "AdminService/Health", {}, PATIENCE_MS);
  return { code, ms: performance.now() - startedAt };
};
/** Milliseconds that each thread of the agent ran, and waited for a processor: the kernel's own account (sched-stats). */
const threads = () => {
  const folder = `/proc/${pid}/task`;
  const read = (thread: string) => {
    try {
      return readFileSync(`${folder}/${thread}/schedstat`, "utf8")
        .split(" ")
        .map((ns) => Number(ns) / 1e6);
    } catch {
      return []; // It has ended meanwhile.
    }
  };
  return new Map(readdirSync(folder).map((thread) => [thread, read(thread)]));
};
/** What came to it since. V8 has other threads help to collect garbage, and the loop waits for the last of them. */
const since = (before: ReturnType<typeof threads>) => {
  const after = threads();
  const grown = (thread: string, field: number) =>
    (after.get(thread)?.[field] ?? 0) - (before.get(thread)?.[field] ?? 0);
  const helpers = [...after.keys()].filter((thread) => thread !== pid).map((thread) => grown(thread, 1));
  return { ranMs: grown(pid, 0), waitedMs: grown(pid, 1) + Math.max(0, ...helpers) };
};
let over = false;
process.stdin.resume().once("end", () => {
  over = true;
});
while (!over) {
  const before = threads();
  const [agent, compared] = await Promise.all([
    ask(socket).then((answer) => ({ ...answer, ...since(before) })),
    ask(control),
  ]);
  if (compared.code !== "OK") throw new Error(`the control answered ${compared.code}`);
  const sample: HealthSample = {
    code: agent.code,
    agentMs: agent.ms,
    controlMs: compared.ms,
    ranMs: agent.ranMs,
    waitedMs: agent.waitedMs,
  };
  console.log(JSON.stringify(sample));
  await sleep(EVERY_MS);
}
process.exit();
