import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { HealthSample } from "./health-prober.ts";

export interface HealthReport {
  readonly answers: number;
  /** Milliseconds of the agent's answers, as they were measured. */
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly slowestMs: number;
  /** The slowest answer of the control, a process that only answers health, asked at the same moments. */
  readonly controlSlowestMs: number;
  /** The same as `slowestMs`, without what was the machine's doing: the larger of the two that a sample tells. */
  readonly slowestOwnMs: number;
  /** The most that the agent's event loop worked between a question and its answer. */
  readonly mostWorkMs: number;
  /** Answers that were wrong, or took the agent more than a second. */
  readonly misses: readonly string[];
}

const WITHIN_MS = 1000;

/**
 * Health of an agent as another process sees it, which does nothing else. Two things are the machine's doing and taken off,
 * moment by moment, the larger of the two: how long a control took that was asked at the same time, and how long the agent
 * was ready to run and did not get a processor, as the kernel tells. What else it waits for is seen whole; and what its
 * event loop did until it answered must be less than a second's work, however busy the machine was.
 */
export class HealthProbe implements AsyncDisposable {
  readonly #folder: string;
  readonly #control: ChildProcess;
  readonly #prober: ChildProcess;
  readonly #samples: HealthSample[] = [];
  #error = "";

  static async start(socket: string, pid: number): Promise<HealthProbe> {
    const folder = await mkdtemp(join(tmpdir(), "basil-probe-"));
    const control = run("control-server.ts", join(folder, "s"));
    await once(createInterface(control.stdout!), "line");
    const probe = new HealthProbe(folder, control, run("health-prober.ts", socket, join(folder, "s"), String(pid)));
    await once(createInterface(probe.#prober.stdout!), "line");
    return probe;
  }

  private constructor(folder: string, control: ChildProcess, prober: ChildProcess) {
    this.#folder = folder;
    this.#control = control;
    this.#prober = prober;
    createInterface(prober.stdout!).on("line", (line) => this.#samples.push(JSON.parse(line) as HealthSample));
    prober.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#error += text;
    });
  }

  /** Ends it after the answer that is awaited. @throws Error when the prober failed by itself. */
  async report(): Promise<HealthReport> {
    await this[Symbol.asyncDispose]();
    if (this.#prober.exitCode !== 0) throw new Error(`the prober ended with ${this.#prober.exitCode}: ${this.#error}`);
    return healthReport(this.#samples);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [this.#prober, this.#control]) {
      if (child.exitCode !== null) continue;
      const closed = once(child, "close");
      child.stdin!.end();
      await closed;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** What the samples say. */
export function healthReport(samples: readonly HealthSample[]): HealthReport {
  const times = samples.map(({ agentMs }) => agentMs).sort((a, b) => a - b);
  const at = (part: number) => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0);
  const own = ({ agentMs, controlMs, waitedMs }: HealthSample) => agentMs - Math.max(controlMs, waitedMs);
  const late = samples.filter((sample) => sample.code !== "OK" || own(sample) > WITHIN_MS || sample.ranMs > WITHIN_MS);
  const most = (of: (sample: HealthSample) => number) => Math.round(Math.max(0, ...samples.map(of)));
  return {
    answers: samples.length,
    medianMs: at(0.5),
    p99Ms: at(0.99),
    slowestMs: at(1),
    slowestOwnMs: most(own),
    mostWorkMs: most(({ ranMs }) => ranMs),
    controlSlowestMs: most(({ controlMs }) => controlMs),
    misses: late.map(
      ({ code, ...ms }) => `${code}: ${JSON.stringify(ms, (_, of) => (typeof of === "number" ? Math.round(of) : of))}`,
    ),
  };
}

function run(script: string, ...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, script), ...args], { stdio: ["pipe", "pipe", "pipe"] });
}
