import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "@basil/aws-kms-emulator";
import { connect } from "@basil/client";
import {
  auditCounts,
  auditFiles,
  GROUPED_DENIALS,
  isDenied,
  LANES,
  startEnduranceStack,
  verifyChain,
} from "../../e2e/endurance/endurance-stack.ts";
import { Load } from "../../e2e/endurance/load.ts";

export interface SoakOptions {
  readonly seconds: number;
  /** Seconds in which the peak is measured, without faults, after as many to warm up. */
  readonly peakSeconds: number;
  /** Share of the peak that is asked for. Default: 0.8. */
  readonly share?: number;
  /** Faults are on for so many seconds, then off for as many. Default: 5. */
  readonly faultSeconds?: number;
  readonly reloadSeconds?: number;
  /** Told each second. */
  readonly onSecond?: (sample: SoakSample) => void;
}

export interface SoakSample {
  readonly second: number;
  readonly rssMb: number;
  readonly answered: number;
  readonly faults: boolean;
}

export interface SoakResult {
  readonly seconds: number;
  readonly peakPerSecond: number;
  readonly offeredPerSecond: number;
  readonly answeredPerSecond: number;
  readonly answered: number;
  readonly wrongAnswers: number;
  readonly wrong: readonly string[];
  /** Answers `BACKEND_UNAVAILABLE`; those while no fault was on, nor had been within a second, apart. */
  readonly unavailable: number;
  readonly unavailableWithoutFault: number;
  readonly lostConnections: number;
  readonly reloads: number;
  readonly auditLines: number;
  readonly lostAuditLines: number;
  readonly auditChainOk: boolean;
  /** Mean resident memory of the agent, MB: the second minute, or the second fifth of a run under five minutes, and the last. */
  readonly rssMb: { readonly second: number; readonly last: number; readonly max: number; readonly ratio: number };
}

const FAULTS: readonly { readonly fault: Fault; readonly probability: number }[] = [
  { fault: { kind: "throttle" }, probability: 0.1 },
  { fault: { kind: "error", status: 500 }, probability: 0.1 },
  { fault: { kind: "reset" }, probability: 0.05 },
  { fault: { kind: "truncate" }, probability: 0.05 },
  { fault: { kind: "latency", ms: 300 }, probability: 0.1 },
];
const AFTER_FAULTS_MS = 1000;
/** Calls in flight at most: a throttled call waits for half a second and more, and the others go on. */
const IN_FLIGHT = 4 * LANES;

/** Keeps an agent busy with checked calls while its KMS misbehaves every other while and its documents are read again. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { seconds, peakSeconds, share = 0.8, faultSeconds = 5, reloadSeconds = 5, onSecond = () => {} } = options;
  await using stack = await startEnduranceStack();
  await using agent = await stack.startAgent();
  await using admin = await connect(stack.socket);
  using load = new Load(stack.socket);
  for (let lane = 0; lane < LANES; lane++) await load.prepare(lane);

  await atFullSpeed(load, peakSeconds);
  const warm = load.answered;
  await atFullSpeed(load, peakSeconds);
  const peakPerSecond = (load.answered - warm) / peakSeconds;
  const offeredPerSecond = peakPerSecond * share;

  const { faults } = stack.emulator;
  const startedAt = performance.now();
  const elapsed = () => (performance.now() - startedAt) / 1000;
  let faultsEndedAt = Number.NEGATIVE_INFINITY;
  let unavailableWithoutFault = 0;
  let reloads = 0;
  const samples: SoakSample[] = [];
  const before = load.answered;

  const sampling = (async () => {
    let unavailable = load.unavailable;
    for (let second = 1; second <= seconds; second++) {
      await sleep(Math.max(0, (second - elapsed()) * 1000));
      const on = faults.pending.length > 0;
      const calm = !on && performance.now() - faultsEndedAt > AFTER_FAULTS_MS + 1000;
      if (calm) unavailableWithoutFault += load.unavailable - unavailable;
      unavailable = load.unavailable;
      const sample = { second, rssMb: await rssMb(agent.process.pid!), answered: load.answered - before, faults: on };
      samples.push(sample);
      onSecond(sample);
    }
  })();
  const misbehaving = (async () => {
    for (let n = 0; elapsed() < seconds; n++) {
      await sleep(faultSeconds * 1000);
      faults.clear();
      if (n % 2 === 1) faultsEndedAt = performance.now();
      else faults.add(...FAULTS.map((rule) => ({ ...rule, times: Number.POSITIVE_INFINITY })));
    }
    faults.clear();
  })();
  const reloading = (async () => {
    for (let n = 1; elapsed() < seconds; n++) {
      await sleep(reloadSeconds * 1000);
      if (n % 4 === 0) {
        // As logrotate does it; SIGHUP reads the documents too.
        await rename(join(stack.folder, "audit.jsonl"), join(stack.folder, `audit.${n}.jsonl`));
        agent.process.kill("SIGHUP");
      } else if (!(await admin.reload()).applied) throw new Error("a reload was refused");
      reloads += 1;
    }
  })();
  await atPace(load, offeredPerSecond, seconds);
  await Promise.all([sampling, misbehaving, reloading]);
  await agent.stop();

  const counts = await auditCounts(stack);
  const chain = await verifyChain(stack);
  let lostAuditLines = 0;
  // Above a rate denials are recorded in groups.
  let grouped = 0;
  for (const [name, replies] of load.replies) {
    const missing = Math.max(0, replies - (counts.get(name) ?? 0));
    if (isDenied(name)) grouped += missing;
    else lostAuditLines += missing;
  }
  lostAuditLines += Math.max(0, grouped - (counts.get(GROUPED_DENIALS) ?? 0));
  const result: SoakResult = {
    seconds,
    peakPerSecond: Math.round(peakPerSecond),
    offeredPerSecond: Math.round(offeredPerSecond),
    answeredPerSecond: Math.round((load.answered - before) / seconds),
    answered: load.answered,
    wrongAnswers: load.wrongCount,
    wrong: load.wrong,
    unavailable: load.unavailable,
    unavailableWithoutFault,
    lostConnections: load.lost,
    reloads,
    auditLines: chain.lines,
    lostAuditLines,
    auditChainOk: chain.ok,
    rssMb: memory(samples),
  };
  for (const file of await auditFiles(stack)) await rm(file);
  return result;
}

async function atFullSpeed(load: Load, seconds: number): Promise<void> {
  const until = performance.now() + seconds * 1000;
  const lane = async (n: number) => {
    while (performance.now() < until) await load.mixed(n);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, n) => lane(n % LANES)));
}

/** Answers a second, by a schedule: what cannot be asked in time, for every lane waits, is not made up for later. */
async function atPace(load: Load, perSecond: number, seconds: number): Promise<void> {
  const startedAt = performance.now();
  const until = startedAt + seconds * 1000;
  const first = load.answered;
  let allowance = 0;
  const lane = async (n: number) => {
    while (performance.now() < until) {
      const due = ((performance.now() - startedAt) / 1000) * perSecond - allowance;
      const done = load.answered - first;
      if (done >= due) await sleep(1);
      else {
        // More than a second behind: that second is gone.
        if (due - done > perSecond) allowance += due - done - perSecond;
        await load.mixed(n);
      }
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, n) => lane(n % LANES)));
}

async function rssMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

function memory(samples: readonly SoakSample[]): SoakResult["rssMb"] {
  const part = Math.min(60, samples.length / 5);
  const mean = (all: readonly SoakSample[]) => all.reduce((sum, sample) => sum + sample.rssMb, 0) / all.length;
  const second = mean(samples.filter((sample) => sample.second > part && sample.second <= 2 * part));
  const last = mean(samples.filter((sample) => sample.second > samples.length - part));
  const max = Math.max(...samples.map((sample) => sample.rssMb));
  const round = (value: number) => Math.round(value * 100) / 100;
  return { second: round(second), last: round(last), max: round(max), ratio: round(last / second) };
}
