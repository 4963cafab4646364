import type { GrpcMethod } from "@basil/proto";
import { Client, type ClientReadableStream, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { beginCall } from "./begin-call.js";
import { ClientError } from "./errors.js";
import { type CallState, statusError } from "./status-error.js";
import type { CallOptions, Transport, TransportOptions } from "./transport.js";
import { decodeAnswer, encodeRequest } from "./wire-messages.js";

const CHANNEL_OPTIONS = {
  // A socket path is no legal authority; servers refuse the stream before they read it.
  "grpc.default_authority": "localhost",
  "grpc.enable_http_proxy": 0,
  // Two clients of one process are two connections, and closing one leaves the other alone.
  "grpc.use_local_subchannel_pool": 1,
  // A broker that was restarted is there within a second, not within the two minutes meant for networks.
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1000,
};
/** How long a broker may take to answer a keep-alive ping, in milliseconds. */
const PING_TIMEOUT = 10_000;
/** What this package encodes and decodes by itself: of a failure there grpc-js says that the server failed. */
const asIs = (bytes: Buffer) => bytes;

/** gRPC over the unix socket at `path`. Connects with the first call and again after the connection broke. */
export class GrpcTransport implements Transport {
  readonly #path: string;
  readonly #timeoutMs: number;
  readonly #client: Client;
  /** The calls that go on, to be cancelled when the client is closed. */
  readonly #calls = new Set<{ cancel(): void }>();
  #closed = false;

  constructor(path: string, timeoutMs: number, keepAliveMs: number) {
    this.#path = path;
    this.#timeoutMs = timeoutMs;
    // The kernel tells of a broker that ended, but not of one that hangs.
    const keepAlive = Number.isFinite(keepAliveMs) && {
      "grpc.keepalive_time_ms": keepAliveMs,
      "grpc.keepalive_timeout_ms": Math.min(PING_TIMEOUT, keepAliveMs),
    };
    this.#client = new Client(`unix:${path}`, credentials.createInsecure(), { ...CHANNEL_OPTIONS, ...keepAlive });
  }

  unary<Request, Response>(
    method: GrpcMethod<Request, Response>,
    request: Request,
    options: TransportOptions,
  ): Promise<Response> {
    const answered = new Promise<Buffer>((resolve, reject) => {
      const state = this.#begin(options);
      let stop = () => {};
      const call = this.#client.makeUnaryRequest(
        method.path,
        asIs,
        asIs,
        encodeRequest(method, request),
        metadataOf(options),
        { deadline: state.deadline },
        (error: ServiceError | null, response?: Buffer) => {
          stop();
          if (error) reject(this.#failure(error, state));
          else if (response === undefined) reject(new ClientError("PROTOCOL", "the answer has no message", {}));
          else resolve(response);
        },
      );
      stop = this.#cancelWith(call, state);
    });
    return answered.then((bytes) => decodeAnswer(method, bytes));
  }

  async *serverStream<Request, Response>(
    method: GrpcMethod<Request, Response>,
    request: Request,
    options: CallOptions,
  ): AsyncIterable<Response> {
    const state = this.#begin(options);
    const call: ClientReadableStream<Buffer> = this.#client.makeServerStreamRequest(
      method.path,
      asIs,
      asIs,
      encodeRequest(method, request),
      new Metadata(),
      { deadline: state.deadline },
    );
    const stop = this.#cancelWith(call, state);
    try {
      for await (const message of call) yield decodeAnswer(method, message as Buffer);
    } catch (error) {
      throw error instanceof ClientError ? error : this.#failure(error as ServiceError, state);
    } finally {
      stop();
      call.cancel();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const call of this.#calls) call.cancel();
    this.#client.close();
  }

  #begin(options: CallOptions): CallState {
    const limit = beginCall(options, { timeoutMs: this.#timeoutMs, closed: this.#closed });
    return { path: this.#path, signal: options.signal, deadline: Date.now() + limit };
  }

  /** Lets the caller's signal and the client's own end cancel the call, until the function returned is called. */
  #cancelWith(call: { cancel(): void }, { signal }: CallState): () => void {
    const cancel = () => call.cancel();
    this.#calls.add(call);
    signal?.addEventListener("abort", cancel, { once: true });
    return () => {
      this.#calls.delete(call);
      signal?.removeEventListener("abort", cancel);
    };
  }

  #failure(error: ServiceError, state: CallState): ClientError {
    if (this.#closed) return new ClientError("CLOSED", "the client was closed", {}, { cause: error });
    return statusError(error, state);
  }
}

function metadataOf({ metadata = {} }: TransportOptions): Metadata {
  const sent = new Metadata();
  for (const [name, value] of Object.entries(metadata)) sent.set(name, value);
  return sent;
}
