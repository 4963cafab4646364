import { CliError } from "../cli-error.js";
import type { Environment } from "../context.js";

/** The first descriptor that is passed (SD_LISTEN_FDS_START of sd_listen_fds(3)). */
const FIRST_FD = 3;

/**
 * The descriptor of the listening socket that a service manager passed to process `pid`; undefined when it passed none to
 * it. Variables that name another process are for that one, as sd_listen_fds(3) has it.
 *
 * @throws {@link CliError} `FAILED` for variables that cannot be, and for more than one socket.
 */
export function passedSocket({ LISTEN_PID, LISTEN_FDS }: Environment, pid: number): number | undefined {
  if (LISTEN_PID === undefined || LISTEN_FDS === undefined) return undefined;
  if (!/^[1-9]\d*$/.test(LISTEN_PID)) throw refused("LISTEN_PID", LISTEN_PID, "the number of a process");
  if (Number(LISTEN_PID) !== pid) return undefined;
  if (LISTEN_FDS === "0") return undefined;
  if (LISTEN_FDS !== "1") throw refused("LISTEN_FDS", LISTEN_FDS, "1: one socket unit with one ListenStream");
  return FIRST_FD;
}

/** Whether sockets were passed, and to a process that is not `pid`. */
export function passedToAnother({ LISTEN_PID, LISTEN_FDS }: Environment, pid: number): boolean {
  return LISTEN_PID !== undefined && LISTEN_FDS !== undefined && Number(LISTEN_PID) !== pid;
}

function refused(variable: string, found: string, allowed: string): CliError {
  const message = `${variable} is ${JSON.stringify(found)}; allowed: ${allowed}`;
  return new CliError("FAILED", message, { reason: "listen_fds_invalid" }, { remedy: "correct the socket unit" });
}
