import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";

/** Each stream of a server's session, before the server has it (Node 22.17 and 24.2; diagnostics_channel, "HTTP/2"). */
const CREATED = "http2.server.stream.created";

export type StreamListener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/**
 * Tells of every HTTP/2 stream on the sockets it is given, whatever it asks for. A gRPC server does not show them: it tells
 * of a request when its message has come whole.
 */
export class StreamWatch implements Disposable {
  /** Only this finds its own sockets among all of the process. */
  readonly #listener = Symbol("listener");

  constructor() {
    subscribe(CREATED, this.#created);
  }

  [Symbol.dispose](): void {
    unsubscribe(CREATED, this.#created);
  }

  watch(socket: Socket, listener: StreamListener): void {
    Object.defineProperty(socket, this.#listener, { value: listener });
  }

  readonly #created = (message: unknown): void => {
    const { stream, headers } = message as { stream: ServerHttp2Stream; headers: IncomingHttpHeaders };
    const { session } = stream;
    if (session === undefined || session.destroyed) return;
    const socket = session.socket as unknown as Readonly<Record<symbol, StreamListener | undefined>>;
    socket[this.#listener]?.(stream, headers);
  };
}
