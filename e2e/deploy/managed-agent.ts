import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Stack } from "../stack.ts";

const root = join(import.meta.dirname, "..", "..");

export interface ManagedOptions {
  /** The program that the manager starts. Default: node on the program's own file. */
  readonly command?: readonly string[];
  /** Path, or `@` and an abstract name. */
  readonly notify: string;
  /** The socket that is passed. Default: none. */
  readonly listen?: string;
  /** Default: the pid of the agent. */
  readonly listenPid?: number;
  readonly env?: Readonly<Record<string, string>>;
}

interface Event {
  readonly pid?: number;
  readonly message?: string;
  readonly sender?: number;
  readonly exit?: number;
}

/** An agent that a service manager of another make started, and everything that it told that manager. */
export class ManagedAgent implements AsyncDisposable {
  readonly #manager: ChildProcess;
  readonly #events: Event[] = [];
  #wake: () => void = () => {};
  #log = "";
  #over = false;

  constructor(stack: Stack, options: ManagedOptions) {
    const { notify, listen = null, listenPid = null, env = {} } = options;
    const program = options.command ?? [process.execPath, join(root, "packages/cli/bin/basil.js")];
    const given = JSON.stringify({ notify, listen, listen_pid: listenPid, env });
    const agent = [...program, "agent", "--config", join(stack.folder, "agent.toml")];
    this.#manager = spawn("python3", [join(import.meta.dirname, "manager.py"), given, ...agent], {
      env: stack.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#manager.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#log += text;
    });
    createInterface({ input: this.#manager.stdout as NodeJS.ReadableStream })
      .on("line", (line) => {
        this.#events.push(JSON.parse(line) as Event);
        this.#wake();
      })
      .on("close", () => {
        this.#over = true;
        this.#wake();
      });
  }

  /** What the agent has logged so far. */
  get log(): string {
    return this.#log;
  }

  /** Every notification so far, in order. */
  get messages(): string[] {
    return this.#events.flatMap(({ message }) => message ?? []);
  }

  /** The processes that sent notifications. */
  get senders(): Set<number> {
    return new Set(this.#events.flatMap(({ sender }) => sender ?? []));
  }

  async pid(): Promise<number> {
    return (await this.#find(({ pid }) => pid !== undefined)).pid ?? 0;
  }

  /** Waits for the notification that is the `nth` of these words. */
  async told(start: string, nth = 1): Promise<string> {
    let seen = 0;
    const find = (event: Event): boolean => event.message?.startsWith(start) === true && ++seen === nth;
    return (await this.#find(find, () => (seen = 0))).message ?? "";
  }

  /** Sends a signal to the agent. */
  async signal(name: NodeJS.Signals): Promise<void> {
    process.kill(await this.pid(), name);
  }

  /** The exit code; a signal that ended it is negative. */
  async ended(): Promise<number> {
    return (await this.#find(({ exit }) => exit !== undefined)).exit ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#events.every(({ exit }) => exit === undefined)) this.#manager.kill("SIGTERM");
    while (!this.#over) await this.#change();
  }

  async #find(wanted: (event: Event) => boolean, restart: () => void = () => {}): Promise<Event> {
    while (true) {
      restart();
      const found = this.#events.find(wanted);
      if (found) return found;
      if (this.#over) throw new Error(`the agent ended first: ${JSON.stringify(this.#events)}\n${this.#log}`);
      await this.#change();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
