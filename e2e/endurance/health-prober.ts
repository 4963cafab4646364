// Asks the agent and the control for health, both at once, each on a new connection every time, and prints a line for
// each pair: node health-prober.ts SOCKET CONTROL PID. Ends with its standard input.
import { readFileSync } from "node:fs";
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
  /** For how long meanwhile the agent could have run, and the machine ran something else. */
  readonly waitedMs: number;
}

const [socket = "", control = "", pid = ""] = process.argv.slice(2);
const ask = async (path: string) => {
  await using driver = new GrpcJs();
  const startedAt = performance.now();
  const { code } = await driver.call(path, "AdminService/Health", {}, PATIENCE_MS);
  return { code, ms: performance.now() - startedAt };
};
/** Of the agent's event loop; the kernel's own account (sched-stats, /proc/PID/schedstat). */
const waitedMs = () => Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ")[1]) / 1e6;
let over = false;
process.stdin.resume().once("end", () => {
  over = true;
});
while (!over) {
  const before = waitedMs();
  const [agent, compared] = await Promise.all([
    ask(socket).then((answer) => ({ ...answer, waited: waitedMs() - before })),
    ask(control),
  ]);
  if (compared.code !== "OK") throw new Error(`the control answered ${compared.code}`);
  const sample: HealthSample = { code: agent.code, agentMs: agent.ms, controlMs: compared.ms, waitedMs: agent.waited };
  console.log(JSON.stringify(sample));
  await sleep(EVERY_MS);
}
process.exit();
