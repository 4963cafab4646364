import { createServer, type Server as NetServer, type Socket } from "node:net";
import type { UnixIdentity } from "@basil/policy";
import { type ConnectionInjector, ServerCredentials } from "@grpc/grpc-js";
import type { HealthWatches } from "../health/health-watches.js";
import type { Limits } from "../limits.js";
import type { Logger } from "../logger.js";
import { type Peer, type PeerReader, peerReader } from "../peer/peer.js";
import type { Dispatcher } from "../request/dispatcher.js";
import { type BoundSocket, bindSocket, type SocketOptions } from "../socket/bind-socket.js";
import { listenInherited } from "../socket/inherited-socket.js";
import { type ConnectionLoad, connectionServer, servedMethods } from "./connection-server.js";
import { ignoreLateAnswer } from "./late-answer.js";
import { awaitPreface } from "./preface.js";
import { type Reader, ReadTurns } from "./read-turns.js";
import { refuseStream } from "./refuse-stream.js";
import { RequestBytes } from "./request-bytes.js";
import { StreamWatch } from "./stream-watch.js";

export interface ListenerParts {
  readonly dispatcher: Dispatcher;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly watches: HealthWatches;
}

interface Connection extends ConnectionLoad {
  readonly socket: Socket;
  readonly uid: number;
  /** Nothing before it has spoken. */
  injector?: ConnectionInjector;
}

/** Node has no public way to a socket's descriptor, nor to have it not read; both have been there since 0.x. */
interface SocketHandle {
  readonly fd?: number;
  readStart?(): void;
  readStop?(): void;
}

/** A path to bind, or the descriptor of a socket that listens already. */
export type ListenOptions = SocketOptions | { readonly fd: number };

/** A socket that is being served. */
export class Listener implements AsyncDisposable {
  readonly #parts: ListenerParts;
  readonly #readPeer: PeerReader;
  readonly #server: NetServer;
  readonly #connections = new Set<Connection>();
  readonly #methods = servedMethods();
  readonly #turns = new ReadTurns();
  readonly #streams = new StreamWatch();
  readonly #requestBytes: RequestBytes;
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
    this.#requestBytes = new RequestBytes(parts.limits, refuseStream);
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
    for (const { injector, socket } of this.#connections) {
      if (injector === undefined) socket.destroy();
      else injector.drain(graceMs);
    }
    const timer = setTimeout(() => {
      for (const { socket } of this.#connections) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(timer);
    this.#streams[Symbol.dispose]();
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
    const { limits } = this.#parts;
    this.#makeRoom();
    const connection: Connection = { socket, uid: peer.identity.uid, inFlight: 0 };
    this.#connections.add(connection);
    socket.once("close", () => {
      this.#connections.delete(connection);
      peer[Symbol.dispose]();
    });
    awaitPreface(socket, limits.prefaceTimeoutMs, (bytes) => this.#spoken(connection, peer.identity, bytes));
  }

  /** It speaks HTTP/2: from now on it reads when its turn has come. */
  #spoken(connection: Connection, identity: UnixIdentity, bytes: number): void {
    const { socket } = connection;
    const handle = handleOf(socket);
    const requests = this.#requestBytes.connection(connection.uid);
    const reader: Reader = {
      owner: connection.uid,
      get bytesRead() {
        return socket.bytesRead;
      },
      start: () => {
        if (connection.injector === undefined) this.#serve(connection, identity);
        // Also of one that was stopped before it was served.
        if (!socket.destroyed) handle?.readStart?.();
      },
      stop: () => {
        if (!socket.destroyed) handle?.readStop?.();
      },
    };
    this.#streams.watch(socket, (stream, headers) => {
      ignoreLateAnswer(stream);
      requests.open(stream, headers);
      this.#turns.stream(reader);
      stream.once("close", () => this.#turns.stream(reader));
    });
    socket.once("close", () => {
      this.#turns.leave(reader);
      requests[Symbol.dispose]();
    });
    this.#turns.enter(reader, bytes);
  }

  #serve(connection: Connection, identity: UnixIdentity): void {
    const { socket } = connection;
    if (socket.destroyed) return;
    const { dispatcher, limits, watches } = this.#parts;
    const server = connectionServer(this.#methods, dispatcher, identity, limits, connection, watches);
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    connection.injector = injector;
    socket.once("close", () => injector.destroy());
    injector.injectConnection(socket);
  }

  /** A new connection is always answered: over the limit the oldest one without a request in flight makes way, or a busy one. */
  #makeRoom(): void {
    if (this.#connections.size < this.#parts.limits.maxConnections) return;
    const connections = [...this.#connections];
    const oldest = connections.find(({ inFlight }) => inFlight === 0) ?? oldestOfTheBusiest(connections);
    if (oldest === undefined) return;
    this.#connections.delete(oldest);
    oldest.socket.destroy();
  }

  #identify(socket: Socket): Peer | undefined {
    const fd = handleOf(socket)?.fd;
    return fd === undefined || fd < 0 ? undefined : this.#readPeer(fd);
  }
}

function handleOf(socket: Socket): SocketHandle | undefined {
  return (socket as unknown as { readonly _handle?: SocketHandle })._handle;
}

/** When all work, one of the user with the most connections makes way. */
function oldestOfTheBusiest(connections: readonly Connection[]): Connection | undefined {
  const counts = new Map<number, number>();
  for (const { uid } of connections) counts.set(uid, (counts.get(uid) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return connections.find(({ uid }) => counts.get(uid) === most);
}
