import type { GrpcMethod } from "@basil/proto";

/** What every call takes last. */
export interface CallOptions {
  /** Gives the call up; the broker drops what it was doing for it. */
  readonly signal?: AbortSignal;
  /** Milliseconds until `DEADLINE_EXCEEDED`; `Infinity` for none. Default: that of the client. */
  readonly timeoutMs?: number;
}

/** What a transport takes with a call: the caller's options, and metadata by its name in lower case. */
export interface TransportOptions extends CallOptions {
  readonly metadata?: Readonly<Record<string, string>>;
}

/** How requests reach a broker. Failures are {@link ClientError}s. */
export interface Transport extends AsyncDisposable {
  unary<Request, Response>(
    method: GrpcMethod<Request, Response>,
    request: Request,
    options: TransportOptions,
  ): Promise<Response>;
  /** Ends when the broker ends the stream; leaving the loop early cancels the call. */
  serverStream<Request, Response>(
    method: GrpcMethod<Request, Response>,
    request: Request,
    options: CallOptions,
  ): AsyncIterable<Response>;
}
