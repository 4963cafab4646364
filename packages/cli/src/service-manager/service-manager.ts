import type { Logger, ServiceNotifier } from "@basil/broker";
import type { Environment } from "../context.js";
import { passedSocket, passedToAnother } from "./passed-socket.js";
import { watchdogIntervalMs } from "./watchdog-interval.js";

/** What started the agent and wants to know how it does; without one, every message goes nowhere. */
export interface ServiceManager extends Disposable {
  /** The descriptor of the socket it passed. */
  readonly socket?: number;
  /** Serving from now on, or again after a reload; signs of life begin, if it wants them. */
  ready(status: string): void;
  /** A reload begins; {@link ready} ends it. One at a time: a manager takes the first READY for the end of all before it. */
  reloading(): void;
  stopping(): void;
}

/**
 * Reads the service manager's variables: `NOTIFY_SOCKET`, `LISTEN_PID`, `LISTEN_FDS`, `WATCHDOG_USEC`, `WATCHDOG_PID`
 * (sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3)). Disposing ends the signs of life.
 *
 * @throws {@link CliError} `FAILED` for variables that cannot be.
 */
export async function serviceManager(env: Environment, pid: number, logger: Logger): Promise<ServiceManager> {
  const socket = passedSocket(env, pid);
  if (passedToAnother(env, pid)) {
    logger.warn(
      { LISTEN_PID: env.LISTEN_PID, pid },
      "the sockets of LISTEN_FDS are for another process and are not used; have the service manager start node itself",
    );
  }
  const intervalMs = watchdogIntervalMs(env, pid);
  const notifier = await notifierOf(env.NOTIFY_SOCKET, logger);
  let beat: NodeJS.Timeout | undefined;
  // A reload that ends while the agent drains makes it no READY one.
  let isStopping = false;
  const told = (taken: boolean | undefined, what: string): void => {
    if (taken === false) logger.warn({ message: what }, "the service manager did not take a notification");
  };
  return {
    ...(socket !== undefined && { socket }),
    ready(status) {
      if (isStopping) return;
      told(notifier?.ready(), "READY");
      notifier?.status(status);
      if (intervalMs === undefined || notifier === undefined) return;
      // The timer runs on the loop that answers requests: a loop that hangs sends nothing, and is restarted.
      beat ??= setInterval(() => told(notifier.watchdog(), "WATCHDOG"), intervalMs);
      beat.unref();
    },
    reloading() {
      if (!isStopping) told(notifier?.reloading(), "RELOADING");
    },
    stopping() {
      isStopping = true;
      told(notifier?.stopping(), "STOPPING");
    },
    [Symbol.dispose]: () => clearInterval(beat),
  };
}

/** A manager that cannot be told is no reason not to serve. */
async function notifierOf(path: string | undefined, logger: Logger): Promise<ServiceNotifier | undefined> {
  if (path === undefined || path === "") return undefined;
  const { isBrokerError, serviceNotifier } = await import("@basil/broker");
  try {
    return await serviceNotifier(path);
  } catch (error) {
    if (!isBrokerError(error)) throw error;
    logger.warn({ error }, "the service manager at NOTIFY_SOCKET cannot be notified");
    return undefined;
  }
}
