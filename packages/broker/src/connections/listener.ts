import { createServer, type Server as NetServer, type Socket } from "node:net";
import type { Limits } from "../limits.js";
import type { Logger } from "../logger.js";
import { type Peer, type PeerReader, peerReader } from "../peer/peer.js";
import { type BoundSocket, bindSocket, type SocketOptions } from "../socket/bind-socket.js";
import { listenInherited } from "../socket/inherited-socket.js";
import { Connection } from "./connection.js";
import { HeldBytes } from "./held-bytes.js";
import type { Protocol } from "./protocol.js";
import { ReadSchedule } from "./read-schedule.js";

export interface ListenerParts {
  readonly protocol: Protocol;
  readonly limits: Limits;
  readonly logger: Logger;
}

/** A path to bind, or the descriptor of a socket that listens already. */
export type ListenOptions = SocketOptions | { readonly fd: number };

/** Bytes that a socket reads ahead while its connection waits for its turn. */
const READ_AHEAD_BYTES = 16_384;

/** A socket that is being served. */
export class Listener implements AsyncDisposable {
  readonly #parts: ListenerParts;
  readonly #readPeer: PeerReader;
  readonly #server: NetServer;
  readonly #connections = new Set<Connection>();
  readonly #schedule = new ReadSchedule();
  readonly #heldBytes: HeldBytes;
  #bound: BoundSocket | undefined;
  #path = "";

  /**
   * @internal
   * @throws {@link BrokerError} `PLATFORM_UNSUPPORTED`, and as `bindSocket`.
   */
  static async open(options: ListenOptions, parts: ListenerParts): Promise<Listener> {
    const listener = new Listener(parts, await peerReader());
    if ("fd" in options) {
      await listenInherited(listener.#server, options.fd);
      listener.#path = `fd ${options.fd}`;
    } else {
      listener.#bound = await bindSocket(listener.#server, options);
      listener.#path = listener.#bound.path;
    }
    parts.logger.info({ path: listener.path }, "listening");
    return listener;
  }

  private constructor(parts: ListenerParts, readPeer: PeerReader) {
    this.#parts = parts;
    this.#readPeer = readPeer;
    this.#heldBytes = new HeldBytes(parts.limits);
    this.#server = createServer({ highWaterMark: READ_AHEAD_BYTES }, (socket) => this.#accept(socket));
  }

  /** Where it listens; `fd N` for a socket that was handed over. */
  get path(): string {
    return this.#path;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Accepts no new connection, and no new request on open ones. Closes each after its last answer, or after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    await this.#bound?.[Symbol.asyncDispose]();
    this.#bound = undefined;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.drain();
    const timer = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
    }, graceMs);
    await closed;
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  #accept(socket: Socket): void {
    socket.on("error", () => socket.destroy());
    const peer = this.#identify(socket);
    if (peer === undefined) {
      this.#parts.logger.warn({}, "closed a connection: the kernel returned no peer credentials");
      socket.destroy();
      return;
    }
    this.#makeRoom();
    const { protocol, limits } = this.#parts;
    const connection = new Connection(socket, peer.identity, {
      protocol,
      prefaceTimeoutMs: limits.prefaceTimeoutMs,
      schedule: this.#schedule,
      heldBytes: this.#heldBytes,
    });
    this.#connections.add(connection);
    socket.once("close", () => {
      this.#connections.delete(connection);
      peer[Symbol.dispose]();
    });
  }

  /** A new connection is always accepted. Over the limit the oldest one without a request at work is closed, or else a busy one. */
  #makeRoom(): void {
    if (this.#connections.size < this.#parts.limits.maxConnections) return;
    const connections = [...this.#connections];
    const oldest = connections.find(({ working }) => working === 0) ?? oldestOfTheBusiest(connections);
    if (oldest === undefined) return;
    this.#connections.delete(oldest);
    oldest.destroy();
  }

  #identify(socket: Socket): Peer | undefined {
    // Node has no public way to a socket's descriptor; this one has been there since 0.x.
    const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } };
    const fd = handle?.fd;
    return fd === undefined || fd < 0 ? undefined : this.#readPeer(fd);
  }
}

/** If every connection is busy, the oldest one of the user who has the most. */
function oldestOfTheBusiest(connections: readonly Connection[]): Connection | undefined {
  const counts = new Map<number, number>();
  for (const { uid } of connections) counts.set(uid, (counts.get(uid) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return connections.find(({ uid }) => counts.get(uid) === most);
}
