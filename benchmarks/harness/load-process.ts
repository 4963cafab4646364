// Calls of one agent from a process of its own. Its argument is a {@link LoadOrder}; it prints a {@link LoadResult}.
import { GrpcLoad, type GrpcLoadTarget, type LoadLength } from "./grpc-load.ts";
import { processorMicroseconds } from "./processor-time.ts";

export interface LoadOrder extends Omit<GrpcLoadTarget, "message">, LoadLength {
  readonly messageBase64: string;
  readonly warmUpMs: number;
  /** The agent, whose processor time is counted. */
  readonly pid: number;
}

export interface LoadResult {
  readonly perSecond: number;
  /** Microseconds of processor time of the agent. */
  readonly cpuPerCall: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const order = JSON.parse(process.argv[2] ?? "") as LoadOrder;
using load = await GrpcLoad.open({ ...order, message: Buffer.from(order.messageBase64, "base64") });
await load.run({ inFlight: order.inFlight, milliseconds: order.warmUpMs });
const before = processorMicroseconds(order.pid);
const startedAt = performance.now();
const times = await load.run(order);
const took = performance.now() - startedAt;
const cpu = processorMicroseconds(order.pid) - before;
const sorted = Float64Array.from(times).sort();
const result: LoadResult = {
  perSecond: (times.length * 1000) / took,
  cpuPerCall: cpu / times.length,
  p50Ms: sorted[sorted.length >> 1] ?? Number.NaN,
  p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
};
process.stdout.write(JSON.stringify(result));
