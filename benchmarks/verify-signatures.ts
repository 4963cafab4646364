// Sign through an embedded broker over AWS KMS on the emulator, with each `verifySignatures`, in turns in one process: CPU time
// of the process a call, threads included. `more` is what the mode takes beyond `never`, round by round.
import { awsKms } from "@basil/backend-aws-kms";
import { createBroker, type VerifySignatures } from "@basil/broker";
import { parseCatalog } from "@basil/catalog";
import { parsePolicy } from "@basil/policy";
import { startDeployment } from "./harness/deployment.ts";
import { writeResult } from "./harness/result.ts";

const message = new TextEncoder().encode("a message of ordinary length, as a JWS signing input would be, more or less");
const uid = process.geteuid?.() ?? 0;
const key = { class: "asymmetric", keyType: "ecdsa-p256", backend: "kms", path: "alias/basil/bench" };
const catalog = parseCatalog(
  JSON.stringify({
    schemaVersion: 1,
    backends: { kms: { kind: "aws-kms", addr: "aws-kms:us-east-1", engines: ["transit"] } },
    keys: { "bench.key": { ...key, writable: false, description: "measured" } },
  }),
);
const policy = parsePolicy(
  JSON.stringify({
    schemaVersion: 2,
    subjects: { me: { allOf: [{ kind: "unix", uid }] } },
    rules: [{ id: "use", subjects: ["me"], action: ["op:sign"], target: ["bench.key"] }],
  }),
);

await using deployment = await startDeployment();
const { endpoint, credentials } = deployment;
async function brokerWith(verifySignatures: VerifySignatures) {
  const backend = awsKms({ id: "kms", region: "us-east-1", endpoint, credentials });
  return createBroker({ catalog, policy, backends: [backend], verifySignatures });
}
const identity = { kind: "unix", uid, gid: null, groups: null, pid: null } as const;
const MODES = ["never", "first", "always"] as const;
const ROUNDS = 15;
const CALLS = 600;
const brokers = new Map<string, Awaited<ReturnType<typeof brokerWith>>>();
for (const mode of MODES) brokers.set(mode, await brokerWith(mode));

async function cpuMicroseconds(mode: string, inFlight: number): Promise<number> {
  const caller = brokers.get(mode)?.as(identity);
  const before = process.cpuUsage();
  let left = CALLS;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await caller?.sign("bench.key", message);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / CALLS;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const results = [];
for (const inFlight of [1, 32]) {
  const rounds: Record<string, number>[] = [];
  for (const mode of MODES) await cpuMicroseconds(mode, inFlight);
  for (let round = 0; round < ROUNDS; round++) {
    const taken: Record<string, number> = {};
    for (const mode of round % 2 === 0 ? MODES : MODES.toReversed())
      taken[mode] = await cpuMicroseconds(mode, inFlight);
    rounds.push(taken);
  }
  const of = (mode: string) => rounds.map((taken) => taken[mode] ?? Number.NaN);
  for (const mode of MODES) {
    const more = rounds.map((taken) => (taken[mode] ?? 0) - (taken.never ?? 0));
    results.push({ mode, inFlight, cpu: Math.round(median(of(mode))), more: Math.round(median(more)) });
  }
}
for (const broker of brokers.values()) await broker.close();
writeResult("verify-signatures", { unit: "µs of CPU a call", rounds: ROUNDS, callsPerRound: CALLS, results });
