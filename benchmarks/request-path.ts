// One request, from the socket to a KMS that answers at once: processor time a call of whoever makes it, beside calls a second.
// In turns: the AWS SDK called directly, the backend alone, an embedded broker, the agent, and each `--agent NAME=PROGRAM`, which is
// another checkout's or another version's `basil`. Linux, since processor time is read from /proc.
import { execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs, promisify } from "node:util";
import { connect } from "@basil/client";
import { AdminService, grpcMethods, HealthRequestSchema, SigningService, SignRequestSchema } from "@basil/proto";
import { create, toBinary } from "@bufbuild/protobuf";
import { frame, PREFACE, RawConnections } from "../e2e/protocol/raw-connection.ts";
import { type Agent, type AgentOptions, OWN_PROGRAM, startAgent } from "./harness/agent.ts";
import type { DirectOrder, DirectRound } from "./harness/direct-process.ts";
import { startKmsStub } from "./harness/kms-stub.ts";
import type { LoadOrder, LoadResult } from "./harness/load-process.ts";
import { MEASURED_MESSAGE } from "./harness/measured-message.ts";
import { residentMb } from "./harness/processor-time.ts";
import { writeResult } from "./harness/result.ts";

const { values } = parseArgs({
  options: {
    agent: { type: "string", multiple: true, default: [] },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "1.5" },
    signs: { type: "string", default: "100000" },
    "idle-connections": { type: "string", default: "1000" },
    result: { type: "string", default: "request-path" },
  },
});
const rounds = Number(values.rounds);
const milliseconds = Number(values.seconds) * 1000;

const { health } = grpcMethods(AdminService);
const { sign } = grpcMethods(SigningService);
const signing = (keyId: string) =>
  toBinary(SignRequestSchema, create(SignRequestSchema, { keyId, message: MEASURED_MESSAGE }));
const CALLS = {
  sign: { path: sign.path, message: signing("bench.key"), expect: "message" },
  health: { path: health.path, message: toBinary(HealthRequestSchema, create(HealthRequestSchema)), expect: "message" },
  denied: { path: sign.path, message: signing("other.key"), expect: "status" },
} as const;
const CASES: readonly { call: DirectRound["call"]; inFlight: number }[] = [
  { call: "sign", inFlight: 1 },
  { call: "sign", inFlight: 32 },
  { call: "health", inFlight: 32 },
  { call: "denied", inFlight: 32 },
];

interface Contender {
  readonly name: string;
  /** @returns null for a call that it does not have. */
  run(round: DirectRound): Promise<LoadResult | null>;
}

await using stub = await startKmsStub();
const { endpoint, accessKeyId, secretAccessKey } = stub;
const kms = { endpoint, accessKeyId, secretAccessKey };

function direct(name: string, order: Omit<DirectOrder, "kms">): Contender & Disposable {
  const argument = JSON.stringify({ ...order, kms } satisfies DirectOrder);
  const child = spawn(process.execPath, [`${import.meta.dirname}/harness/direct-process.ts`, argument], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    name,
    async run(round) {
      child.stdin.write(`${JSON.stringify(round)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${name} ended`);
      return JSON.parse(value) as LoadResult | null;
    },
    [Symbol.dispose]: () => void child.stdin.end(),
  };
}

async function load(
  agent: Agent,
  call: keyof typeof CALLS,
  length: Pick<LoadOrder, "inFlight" | "milliseconds" | "calls">,
) {
  const { message, ...target } = CALLS[call];
  const order: LoadOrder = {
    ...target,
    ...length,
    messageBase64: Buffer.from(message).toString("base64"),
    socket: agent.socket,
    warmUpMs: 100,
    pid: agent.pid,
  };
  const program = `${import.meta.dirname}/harness/load-process.ts`;
  const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(order)]);
  return JSON.parse(stdout) as LoadResult;
}

const idleConnections = Number(values["idle-connections"]);
const roomy = `[limits]\nmax-connections = ${idleConnections + 100}\n`;
const variants: (AgentOptions & { name: string })[] = [
  { name: "agent", kms, program: OWN_PROGRAM, configuration: roomy },
  { name: "agent, wire=sdk", kms, program: OWN_PROGRAM, configuration: roomy, backendFields: "wire=sdk" },
  ...values.agent.map((text) => {
    const [name = "", program = ""] = text.split("=", 2);
    // The original has no such limit and no such section.
    return { name, kms, program, configuration: program.endsWith(".js") ? roomy : "" };
  }),
];

await using stack = new AsyncDisposableStack();
const agents: { name: string; agent: Agent; startedInMs: number }[] = [];
for (const { name, ...options } of variants) {
  const starts: number[] = [];
  for (let n = 0; n < 2; n++) {
    await using agent = await startAgent(options);
    starts.push(agent.startedInMs);
  }
  const agent = stack.use(await startAgent(options));
  agents.push({ name, agent, startedInMs: Math.min(...starts, agent.startedInMs) });
  await using basil = await connect(agent.socket);
  if ((await basil.sign("bench.key", MEASURED_MESSAGE)).length !== 64) throw new Error(`${name} signs wrongly`);
}
const contenders: Contender[] = [
  stack.use(direct("sdk", { contender: "sdk" })),
  stack.use(direct("sdk on our pool", { contender: "sdk-pool" })),
  stack.use(direct("backend", { contender: "backend" })),
  stack.use(direct("backend, wire=sdk", { contender: "backend", wire: "sdk" })),
  stack.use(direct("embedded", { contender: "embedded" })),
  stack.use(direct("embedded, wire=sdk", { contender: "embedded", wire: "sdk" })),
  ...agents.map(({ name, agent }) => ({ name, run: ({ call, ...length }: DirectRound) => load(agent, call, length) })),
];

const measured = new Map<string, LoadResult[]>();
async function turns(label: string, round: Omit<DirectRound, "milliseconds">, of: readonly Contender[]) {
  for (const contender of of) await contender.run({ ...round, milliseconds: milliseconds / 2 });
  for (let n = 0; n < rounds; n++) {
    for (const contender of n % 2 === 0 ? of : of.toReversed()) {
      const result = await contender.run({ ...round, milliseconds });
      if (result === null) continue;
      const key = JSON.stringify({ case: label, contender: contender.name });
      measured.set(key, [...(measured.get(key) ?? []), result]);
    }
  }
}
for (const { call, inFlight } of CASES) await turns(`${call} ${inFlight}`, { call, inFlight }, contenders);
stub.delay(5);
await turns("sign 1, KMS at 5 ms", { call: "sign", inFlight: 1 }, contenders);
stub.delay(0);

const median = (all: readonly number[]): number => all.toSorted((a, b) => a - b)[all.length >> 1] ?? Number.NaN;
const results = [...measured].map(([key, all]) => ({
  ...(JSON.parse(key) as { case: string; contender: string }),
  cpuPerCall: Math.round(median(all.map((one) => one.cpuPerCall)) * 10) / 10,
  perSecond: Math.round(median(all.map((one) => one.perSecond))),
  p50Ms: Math.round(median(all.map((one) => one.p50Ms)) * 1000) / 1000,
  p99Ms: Math.round(median(all.map((one) => one.p99Ms)) * 1000) / 1000,
}));

const mb = (value: number) => Math.round(value * 10) / 10;
const processes = [];
for (const { name, agent, startedInMs } of agents) {
  await load(agent, "sign", { inFlight: 32, calls: Number(values.signs) });
  await sleep(10_000);
  const rssMb = residentMb(agent.pid);
  using idle = new RawConnections(agent.socket);
  for (let n = 0; n < idleConnections; n++) await idle.send(PREFACE, frame(4, 0, 0, new Uint8Array()));
  await sleep(2000);
  const bytes = ((residentMb(agent.pid) - rssMb) * 1024 * 1024) / idleConnections;
  processes.push({
    agent: name,
    startedInMs: Math.round(startedInMs),
    rssMb: mb(rssMb),
    bytesPerIdleConnection: Math.round(bytes),
  });
}
writeResult(values.result, {
  unit: "cpuPerCall in µs",
  rounds,
  secondsPerRound: milliseconds / 1000,
  results,
  processes,
});
