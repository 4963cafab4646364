import { createServer, type Server as NetServer, type Socket } from "node:net";
import { ServerCredentials } from "@grpc/grpc-js";
import type { HealthWatches } from "../health/health-watches.js";
import type { Limits } from "../limits.js";
import type { Logger } from "../logger.js";
import { type Peer, type PeerReader, peerReader } from "../peer/peer.js";
import type { Dispatcher } from "../request/dispatcher.js";
import { rpcs } from "../request/rpcs.js";
import { type BoundSocket, bindSocket, type SocketOptions } from "../socket/bind-socket.js";
import { listenInherited } from "../socket/inherited-socket.js";
import { type ConnectionLoad, connectionServer } from "./connection-server.js";

export interface ListenerParts {
  readonly dispatcher: Dispatcher;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly watches: HealthWatches;
}

/** `PRI * HTTP/2.0…` of RFC 9113 §3.4. */
const PREFACE_BYTES = 24;

interface Connection extends ConnectionLoad {
  readonly socket: Socket;
  readonly drain: (graceMs: number) => void;
}

/** A path to bind, or the descriptor of a socket that listens already. */
export type ListenOptions = SocketOptions | { readonly fd: number };

/** A socket that is being served. */
export class Listener implements AsyncDisposable {
  readonly #parts: ListenerParts;
  readonly #readPeer: PeerReader;
  readonly #server: NetServer;
  readonly #connections = new Set<Connection>();
  readonly #rpcs = [...rpcs().values()];
  #bound: BoundSocket | undefined;
  #path = "";

  /** @throws {@link BrokerError} `PLATFORM_UNSUPPORTED`, and as `bindSocket`. */
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
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Where it listens; `fd N` for a socket that was handed over. */
  get path(): string {
    return this.#path;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Takes no new connection, and no new request on those there are; ends each after its last answer, or after the time given. */
  async drain(graceMs: number): Promise<void> {
    await this.#bound?.[Symbol.asyncDispose]();
    this.#bound = undefined;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const { drain } of this.#connections) drain(graceMs);
    const timer = setTimeout(() => {
      for (const { socket } of this.#connections) socket.destroy();
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
      this.#parts.logger.warn({}, "a connection whose peer the kernel does not tell was closed");
      socket.destroy();
      return;
    }
    const { dispatcher, limits, watches } = this.#parts;
    const load = { inFlight: 0 };
    const server = connectionServer(this.#rpcs, dispatcher, peer.identity, limits, load, watches);
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    const connection = Object.assign(load, { socket, drain: (graceMs: number) => injector.drain(graceMs) });
    this.#makeRoom();
    this.#connections.add(connection);
    const preface = setTimeout(() => {
      if (socket.bytesRead < PREFACE_BYTES) socket.destroy();
    }, limits.prefaceTimeoutMs);
    socket.once("close", () => {
      clearTimeout(preface);
      this.#connections.delete(connection);
      injector.destroy();
      peer[Symbol.dispose]();
    });
    injector.injectConnection(socket);
  }

  /** A new connection is always answered: over the limit the oldest one without a request in flight makes way. */
  #makeRoom(): void {
    if (this.#connections.size < this.#parts.limits.maxConnections) return;
    const connections = [...this.#connections];
    const oldest = connections.find(({ inFlight }) => inFlight === 0) ?? connections[0];
    if (oldest === undefined) return;
    this.#connections.delete(oldest);
    oldest.socket.destroy();
  }

  #identify(socket: Socket): Peer | undefined {
    // Node has no public way to the descriptor of a socket; `_handle.fd` has been there since 0.x.
    const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } };
    const fd = handle?.fd;
    return fd === undefined || fd < 0 ? undefined : this.#readPeer(fd);
  }
}
