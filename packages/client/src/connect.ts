import { connect as connectSocket } from "node:net";
import { normalize } from "node:path";
import { Client } from "./client.js";
import { ClientError } from "./errors.js";
import { GrpcTransport } from "./grpc-transport.js";
import { timeLimit } from "./timeout.js";
import { requireTrustedPath } from "./trusted-path.js";

export interface ConnectOptions {
  /** What a call without `timeoutMs` gets, in milliseconds. Default: 30,000. */
  readonly timeoutMs?: number;
  /** The user the broker runs as, when that is neither root nor this user and others may write the socket's folder. */
  readonly brokerUid?: number;
  /**
   * While calls go on, a broker that is silent for this long is asked whether it is there, in milliseconds. One that does not
   * say so for as long again, 10 s at most, ends them in `UNREACHABLE`. Default: 30,000; `Infinity` never asks.
   */
  readonly keepAliveMs?: number;
  /** Gives up connecting. */
  readonly signal?: AbortSignal;
}

/**
 * Connects to the broker that listens at `path`. The connection is made again when it breaks.
 *
 * @throws {@link ClientError} `UNREACHABLE` at once when nothing listens there, `UNTRUSTED_SOCKET`
 *   when somebody else may have put the socket there, `CANCELLED`, `DEADLINE_EXCEEDED`.
 */
export async function connect(path: string, options: ConnectOptions = {}): Promise<Client> {
  if (typeof path !== "string" || path === "" || path.includes("\0")) {
    throw new TypeError("path must be the path of a unix socket");
  }
  const { signal } = options;
  const timeoutMs = timeLimit(options.timeoutMs ?? 30_000);
  const keepAliveMs = timeLimit(options.keepAliveMs ?? 30_000, "keepAliveMs");
  if (options.brokerUid !== undefined && !(Number.isSafeInteger(options.brokerUid) && options.brokerUid >= 0)) {
    throw new TypeError(`brokerUid must be a user number, not ${String(options.brokerUid)}`);
  }
  // One path for the look and for the connection: the kernel takes `..` after a link otherwise, and gRPC reads what follows
  // `//` as the name of a host.
  const socket = normalize(path);
  await requireTrustedPath(socket, options.brokerUid);
  await knock(socket, timeoutMs, signal);
  return new Client(new GrpcTransport(socket, timeoutMs, keepAliveMs));
}

/** A channel keeps trying and hides why it fails; one connection of our own gives the system's answer at once. */
function knock(path: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(new ClientError("CANCELLED", "connecting was cancelled", {}, { cause: signal.reason }));
      return;
    }
    const socket = connectSocket({ path });
    const end = (error?: ClientError) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    const onAbort = () => end(new ClientError("CANCELLED", "connecting was cancelled", {}, { cause: signal?.reason }));
    const onTimeout = () =>
      end(new ClientError("DEADLINE_EXCEEDED", `the broker at ${path} took no connection in ${timeoutMs} ms`, {}));
    const timer = Number.isFinite(timeoutMs) ? setTimeout(onTimeout, timeoutMs) : undefined;
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.once("connect", () => end());
    socket.once("error", (cause: NodeJS.ErrnoException) => end(unreachable(path, cause)));
  });
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file; is the broker running, and is this its socket?",
  ECONNREFUSED: "nothing listens there; the broker has stopped, or this is not its socket",
  EACCES: "its mode or a folder above does not let this user connect",
  ENOTSOCK: "it is not a socket",
  EINVAL: "it is too long for a socket path, which takes 107 bytes on Linux and 103 on macOS",
};

function unreachable(path: string, cause: NodeJS.ErrnoException): ClientError<"UNREACHABLE"> {
  const why = REMEDIES[cause.code ?? ""] ?? cause.message;
  const details = { path, ...(cause.code === undefined ? {} : { errno: cause.code }) };
  return new ClientError("UNREACHABLE", `cannot reach a broker at ${path}: ${why}`, details, { cause });
}
