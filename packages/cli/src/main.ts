import { fileURLToPath } from "node:url";
import type { CommandContext } from "./context.js";
import { EXIT } from "./exit-code.js";
import { standardInput } from "./standard-input.js";
import { createTerminal } from "./terminal.js";
import { version } from "./version.js";
import { keepYoungGenerationSmall } from "./young-generation.js";

const INTERRUPTIONS = ["SIGINT", "SIGTERM", "SIGQUIT"] as const;

/**
 * Runs the program on a process: reads its arguments, environment and standard input, writes its streams and sets its
 * `exitCode`. It does not end the process, so that what was written is flushed; only where code of other packages ran is
 * the process ended once it is.
 */
export async function main(process: NodeJS.Process): Promise<void> {
  const terminal = createTerminal(process);
  // A reader that went away (`basil list | head -1`) is no failure worth a word; a full disk is worth one line.
  let broken = false;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      process.exitCode = EXIT.no;
      if (stream === process.stderr || broken) return;
      broken = true;
      if (error.code === "EPIPE") return;
      terminal.err(`error: standard output cannot be written: ${error.message}`);
      terminal.err("hint: make room where it goes, or send it elsewhere, and run it again");
    });
  }
  const argv = process.argv.slice(2);
  // Nothing of the program is loaded to say its version.
  if (argv.length === 1 && (argv[0] === "--version" || argv[0] === "-V")) {
    terminal.out(`basil ${version()}`);
    return;
  }
  // Before loading the program makes it larger.
  if (argv.includes("seal") || argv.includes("open")) keepYoungGenerationSmall();
  const interruption = new AbortController();
  const interrupt = (signal: NodeJS.Signals): void => {
    // A second signal, whichever of them, finds no handler and ends the process at once.
    for (const each of INTERRUPTIONS) process.removeListener(each, interrupt);
    interruption.abort(signal);
  };
  for (const signal of INTERRUPTIONS) process.on(signal, interrupt);
  let others = false;
  const context: CommandContext = {
    terminal,
    env: process.env,
    cwd: process.cwd(),
    uid: process.geteuid?.() ?? -1,
    gid: process.getegid?.() ?? -1,
    pid: process.pid,
    self: [process.execPath, ...process.execArgv, process.argv[1] ?? fileURLToPath(import.meta.url)],
    get stdin() {
      return standardInput(process);
    },
    signal: interruption.signal,
    othersCode: () => {
      others = true;
    },
    onHangup: (listener) => {
      process.removeAllListeners("SIGHUP");
      process.on("SIGHUP", listener);
    },
  };
  const { runProgram } = await import("./run-program.js");
  const exitCode = await runProgram(argv, context);
  if (!broken) process.exitCode = exitCode;
  if (others) endSoon(process);
}

/** Timers and sockets that a backend package left behind do not keep the process; what was written is flushed first. */
function endSoon(process: NodeJS.Process): void {
  const leave = (): void => {
    if (process.stdout.writableLength + process.stderr.writableLength === 0) process.exit();
    setTimeout(leave, 50).unref();
  };
  setTimeout(leave, 200).unref();
}
