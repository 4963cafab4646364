import { BrokerError } from "../errors.js";
import { loadCLibrary } from "../native/c-library.js";

/** Tells a service manager how the service is doing, by the protocol of sd_notify(3). Each gives whether it was taken. */
export interface ServiceNotifier {
  /** Serving; also after a reload. */
  ready(): boolean;
  /** A reload begins; `ready` ends it. */
  reloading(): boolean;
  stopping(): boolean;
  /** Alive; to be sent more often than `WATCHDOG_USEC` says. */
  watchdog(): boolean;
  /** One line for people. */
  status(text: string): boolean;
}

/** sun_path of unix(7). */
const MAX_PATH_BYTES = 107;

/**
 * Tells a service manager how the broker is, by datagrams of sd_notify(3).
 *
 * @param path - The value of `NOTIFY_SOCKET`: an absolute path, or `@` and an abstract name.
 * @throws {@link BrokerError} `PLATFORM_UNSUPPORTED` anywhere but on Linux, `SOCKET_PATH_INVALID`.
 */
export async function serviceNotifier(path: string): Promise<ServiceNotifier> {
  const { platform, arch } = process;
  if (platform !== "linux") {
    throw new BrokerError("PLATFORM_UNSUPPORTED", `no service manager is notified on ${platform}`, { platform, arch });
  }
  if (!/^[/@]./s.test(path) || path.includes("\0") || Buffer.byteLength(path) > MAX_PATH_BYTES) {
    const message = `${JSON.stringify(path)} is neither an absolute path nor @ and a name, of at most ${MAX_PATH_BYTES} bytes`;
    throw new BrokerError("SOCKET_PATH_INVALID", message, { path });
  }
  const library = await loadCLibrary();
  const send = (...lines: readonly string[]) => library.sendDatagram(path, lines.join("\n"));
  return {
    ready: () => send("READY=1"),
    // The monotonic clock in microseconds tells the manager which reload a later READY ends.
    reloading: () => send("RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: () => send("STOPPING=1"),
    watchdog: () => send("WATCHDOG=1"),
    status: (text) => send(`STATUS=${text.replaceAll(/\s+/g, " ")}`),
  };
}
