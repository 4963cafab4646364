// Calls made in the process itself, without an agent: of the AWS SDK, of the backend and of an embedded broker. Its argument is
// a {@link DirectOrder}; each line on standard input is a {@link DirectRound}, answered by a line that is a LoadResult.
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { KMSClient, SignCommand } from "@aws-sdk/client-kms";
import { awsKms } from "@basil/backend-aws-kms";
import { createBroker } from "@basil/broker";
import { parseCatalog } from "@basil/catalog";
import { parsePolicy } from "@basil/policy";
import { UndiciRequestHandler } from "../../packages/backend-aws-kms/src/request-handler.ts";
import type { LoadResult } from "./load-process.ts";
import { MEASURED_MESSAGE } from "./measured-message.ts";

export interface DirectOrder {
  readonly contender: keyof typeof CONTENDERS;
  /** Of the backend. Default: its own. */
  readonly wire?: "sdk";
  readonly kms: { readonly endpoint: string; readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface DirectRound {
  readonly call: "sign" | "health" | "denied";
  readonly inFlight: number;
  readonly milliseconds: number;
}

type Calls = Partial<Record<DirectRound["call"], () => Promise<unknown>>>;

const CONTENDERS = {
  sdk: (): Calls => sdk({}),
  "sdk-pool": (): Calls =>
    sdk({
      requestHandler: new UndiciRequestHandler({ connectTimeoutMs: 2000, attemptTimeoutMs: 5000, connections: 64 }),
    }),
  backend: (): Calls => {
    const { transit } = awsKms(backendOptions());
    const key = { name: "bench.key", keyType: "ecdsa-p256", path: "alias/basil/bench", backendId: "kms" } as never;
    const { signal } = new AbortController();
    return { sign: async () => transit?.sign?.(key, MEASURED_MESSAGE, { signal, requestId: "measured" }) };
  },
  embedded: async (): Promise<Calls> => {
    const broker = await createBroker({ ...documents(), backends: [awsKms(backendOptions())] });
    const uid = process.geteuid?.() ?? 0;
    const caller = broker.as({ kind: "unix", uid, gid: null, groups: null, pid: null });
    return {
      sign: () => caller.sign("bench.key", MEASURED_MESSAGE),
      health: () => caller.health(),
      denied: () =>
        caller.sign("other.key", MEASURED_MESSAGE).then(
          () => Promise.reject(new Error("was allowed")),
          () => {},
        ),
    };
  },
};

const { contender, wire, kms } = JSON.parse(process.argv[2] ?? "") as DirectOrder;
const { endpoint, accessKeyId, secretAccessKey } = kms;
const credentials = { accessKeyId, secretAccessKey };

function backendOptions() {
  return { id: "kms", region: "us-east-1", endpoint, credentials, ...(wire && { wire }) };
}

function sdk(more: object): Calls {
  const client = new KMSClient({ region: "us-east-1", endpoint, credentials, ...more });
  const input = { KeyId: "alias/basil/bench", MessageType: "DIGEST", SigningAlgorithm: "ECDSA_SHA_256" } as const;
  return {
    sign: () =>
      client.send(
        new SignCommand({ ...input, Message: new Uint8Array(createHash("sha256").update(MEASURED_MESSAGE).digest()) }),
      ),
  };
}

function documents() {
  const key = { class: "asymmetric", keyType: "ecdsa-p256", backend: "kms", path: "alias/basil/bench" };
  const entry = { ...key, writable: false, description: "measured" };
  const catalog = parseCatalog(
    JSON.stringify({
      schemaVersion: 1,
      backends: { kms: { kind: "aws-kms", addr: "aws-kms:us-east-1", engines: ["transit"] } },
      keys: { "bench.key": entry, "other.key": { ...entry, path: "alias/basil/other" } },
    }),
  );
  const me = { allOf: [{ kind: "unix", uid: process.geteuid?.() ?? 0 }] };
  const rule = { id: "use", subjects: ["me"], action: ["op:sign"], target: ["bench.*"] };
  const policy = parsePolicy(JSON.stringify({ schemaVersion: 2, subjects: { me }, rules: [rule] }));
  return { catalog, policy };
}

async function measure(call: () => Promise<unknown>, { inFlight, milliseconds }: DirectRound): Promise<LoadResult> {
  const times: number[] = [];
  const before = process.cpuUsage();
  const startedAt = performance.now();
  const lane = async (): Promise<void> => {
    while (performance.now() - startedAt < milliseconds) {
      const calledAt = performance.now();
      await call();
      times.push(performance.now() - calledAt);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const took = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(before);
  const sorted = Float64Array.from(times).sort();
  return {
    perSecond: (times.length * 1000) / took,
    cpuPerCall: (user + system) / times.length,
    p50Ms: sorted[sorted.length >> 1] ?? Number.NaN,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
  };
}

const calls = await CONTENDERS[contender]();
for await (const line of createInterface(process.stdin)) {
  const round = JSON.parse(line) as DirectRound;
  const call = calls[round.call];
  const result = call === undefined ? null : await measure(call, round);
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
process.exit();
