import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const program = join(import.meta.dirname, "../packages/cli/bin/basil.js");

/** A process that ran to its end. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An agent that serves: its socket answered before this was handed out. */
export interface RunningAgent extends AsyncDisposable {
  readonly process: ChildProcess;
  /** What it has logged so far. */
  log(): string;
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

/** An agent that was started, whatever becomes of it. */
export interface AgentProcess {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  log(): string;
}

export interface AgentProcessOptions {
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Starts `basil agent` on a configuration file. */
export function spawnAgent(config: string, options: AgentProcessOptions): AgentProcess {
  const child = spawn(process.execPath, [program, "agent", "--config", config], {
    ...options,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = once(child, "close").then(() => ({ code: child.exitCode, stdout, stderr }));
  return { process: child, ended, log: () => stdout + stderr };
}

/** Waits until the agent serves at its socket. */
export async function untilServing(agent: AgentProcess, socket: string): Promise<RunningAgent> {
  const { process: child, ended, log } = agent;
  while (!(await answers(socket))) {
    if (isOver(child)) throw new Error(`the agent ended with ${child.exitCode ?? child.signalCode}:\n${log()}`);
    await sleep(20);
  }
  const stop = (signal: NodeJS.Signals = "SIGTERM"): Promise<Ended> => {
    if (!isOver(child)) child.kill(signal);
    return ended;
  };
  return { process: child, log, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}

/** Ends what a test that failed has left running. */
export async function endAll(agents: readonly AgentProcess[]): Promise<void> {
  for (const { process: child } of agents) if (!isOver(child)) child.kill("SIGKILL");
  await Promise.all(agents.map(({ ended }) => ended));
}

const isOver = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

/** Whether somebody listens at the socket. */
export function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(socket);
    connection.once("connect", () => {
      connection.destroy();
      resolve(true);
    });
    connection.once("error", () => resolve(false));
  });
}
