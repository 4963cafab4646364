import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Environment } from "../context.js";

/** What a typed line came to. */
export interface LineResult {
  readonly line: string;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ShellSessionOptions {
  readonly cwd: string;
  /** The whole environment; nothing is inherited. */
  readonly env: Environment;
  /** Ends the line that is running, and the session. */
  readonly signal: AbortSignal;
}

const LINE_TIMEOUT_MS = 60_000;

/**
 * One shell that stays open, so that lines are run exactly as a person would type them: `&`, `$!` and `kill` included.
 *
 * It leads a process group of its own: Ctrl-C reaches the program that owns the session, not what runs in it, and
 * stopping the session stops everything that was started from it. Should the owner die, the shell reads the end of its
 * input and does the same.
 */
export class ShellSession implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #signal: AbortSignal;
  readonly #ended: Promise<void>;
  readonly #mark = `--${randomBytes(12).toString("hex")}--`;
  readonly #streams: { readonly stdout: MarkedStream; readonly stderr: MarkedStream };

  constructor({ cwd, env, signal }: ShellSessionOptions) {
    this.#signal = signal;
    this.#child = spawn("/bin/sh", [], { cwd, env, detached: true, stdio: "pipe" });
    this.#ended = new Promise((resolve) => this.#child.once("close", () => resolve()));
    // A shell that has ended says so by its streams; writing to it then is no failure of its own.
    this.#child.stdin.on("error", () => {});
    // Told to stop, the whole group is told: the shell waits for what it started. When its input ends, it tells the group.
    this.#child.stdin.write(`trap 'trap - EXIT; wait; exit 0' TERM; trap 'trap "" TERM; kill 0; wait' EXIT\n`);
    this.#streams = {
      stdout: new MarkedStream(this.#child.stdout, this.#mark),
      stderr: new MarkedStream(this.#child.stderr, this.#mark),
    };
  }

  /**
   * Types one line and waits until the shell is ready for the next. Standard input of the line is empty.
   *
   * @throws An `Error` when the session ends, is aborted, or the line takes more than a minute.
   */
  async type(line: string): Promise<LineResult> {
    const done = Promise.all([this.#streams.stdout.nextMark(), this.#streams.stderr.nextMark()]);
    // Braces keep the line in this shell, so that `$!` and variables stay.
    this.#child.stdin.write(
      `{ ${line}\n} </dev/null\nset -- $?; printf '%s%d\\n' '${this.#mark}' $1; printf '%s%d\\n' '${this.#mark}' $1 >&2\n`,
    );
    const [stdout, stderr] = await this.#orStopped(done, line);
    return { line, exitCode: stdout.exitCode, stdout: stdout.text, stderr: stderr.text };
  }

  /** Stops everything that was started from the session: SIGTERM, again after three seconds, and SIGKILL after ten. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#terminate();
    // A process that was just being started may have missed the first.
    const timers = [setTimeout(() => this.#terminate(), 3000), setTimeout(() => this.#kill("SIGKILL"), 10_000)];
    await this.#ended;
    for (const timer of timers) clearTimeout(timer);
  }

  #terminate(): void {
    this.#kill("SIGTERM");
    // A shell that waits for input looks at its traps only when some comes.
    this.#child.stdin.write("\n");
  }

  #kill(signal: NodeJS.Signals): void {
    try {
      process.kill(-(this.#child.pid ?? 0), signal);
    } catch {
      // The group is gone already.
    }
  }

  #orStopped<T>(work: Promise<T>, line: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const stop = (why: string) => () => settle(() => reject(new Error(`${why}: ${line}`)));
      const onAbort = stop("interrupted");
      const timer = setTimeout(stop(`no end after ${LINE_TIMEOUT_MS / 1000} s`), LINE_TIMEOUT_MS);
      const settle = (end: () => void): void => {
        clearTimeout(timer);
        this.#signal.removeEventListener("abort", onAbort);
        end();
      };
      if (this.#signal.aborted) onAbort();
      else this.#signal.addEventListener("abort", onAbort, { once: true });
      work.then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error)),
      );
      void this.#ended.then(stop("the shell ended"));
    });
  }
}

interface Marked {
  readonly text: string;
  readonly exitCode: number;
}

/** Cuts a stream at the marks that the session prints after each line. */
class MarkedStream {
  readonly #mark: string;
  #text = "";
  #waiting: ((found: Marked) => void) | undefined;

  constructor(stream: NodeJS.ReadableStream, mark: string) {
    this.#mark = mark;
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => {
      this.#text += chunk;
      this.#cut();
    });
  }

  nextMark(): Promise<Marked> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#cut();
    });
  }

  #cut(): void {
    const at = this.#text.indexOf(this.#mark);
    const end = this.#text.indexOf("\n", at);
    if (this.#waiting === undefined || at === -1 || end === -1) return;
    const found = { text: this.#text.slice(0, at), exitCode: Number(this.#text.slice(at + this.#mark.length, end)) };
    this.#text = this.#text.slice(end + 1);
    const deliver = this.#waiting;
    this.#waiting = undefined;
    deliver(found);
  }
}
