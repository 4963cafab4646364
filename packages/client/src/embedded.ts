import type { GrpcMethod } from "@basil/proto";
import { beginCall } from "./begin-call.js";
import { Client } from "./client.js";
import { ClientError } from "./errors.js";
import { codeOfReason } from "./status-error.js";
import { timeLimit } from "./timeout.js";
import type { CallOptions, Transport, TransportOptions } from "./transport.js";
import { encodeRequest } from "./wire-messages.js";

/** A broker in this process, as it offers itself to one identity: {@link Transport} but for its errors. */
export interface EmbeddedBroker extends AsyncDisposable {
  unary<Request, Response>(
    method: GrpcMethod<Request, Response>,
    request: Request,
    options: CallOptions,
  ): Promise<Response>;
  serverStream<Request, Response>(
    method: GrpcMethod<Request, Response>,
    request: Request,
    options: CallOptions,
  ): AsyncIterable<Response>;
}

/** What {@link connectEmbedded} takes besides the broker. */
export interface EmbeddedOptions {
  /** What a call without `timeoutMs` gets, in milliseconds. Default: 30,000. */
  readonly timeoutMs?: number;
}

/**
 * The same client over a broker in this process: no socket, the same errors.
 *
 * @throws TypeError for a `timeoutMs` that is no time.
 */
export function connectEmbedded(broker: EmbeddedBroker, options: EmbeddedOptions = {}): Client {
  const timeoutMs = timeLimit(options.timeoutMs ?? 30_000);
  let closed = false;
  const begin = (call: TransportOptions): TransportOptions => ({
    ...call,
    timeoutMs: beginCall(call, { timeoutMs, closed }),
  });
  const failure = (error: unknown, options: CallOptions): unknown =>
    closed && !(error instanceof TypeError)
      ? new ClientError("CLOSED", "the client was closed", {}, { cause: error })
      : clientError(error, options);
  // The broker reads each request as it would arrive over a socket: of the same values, in memory of its own.
  const transport: Transport = {
    async unary(method, request, options) {
      const limited = begin(options);
      const encoded = encodeRequest(method, request);
      try {
        const answer = await broker.unary(method, method.requestDeserialize(encoded), limited);
        // It may hold a plaintext. After a failure somebody may be reading it still.
        encoded.fill(0);
        return answer;
      } catch (error) {
        throw failure(error, options);
      }
    },
    async *serverStream(method, request, options) {
      const limited = begin(options);
      const sent = method.requestDeserialize(encodeRequest(method, request));
      try {
        yield* broker.serverStream(method, sent, limited);
      } catch (error) {
        throw failure(error, options);
      }
    },
    [Symbol.asyncDispose]() {
      closed = true;
      return broker[Symbol.asyncDispose]();
    },
  };
  return new Client(transport);
}

function clientError(error: unknown, { signal }: CallOptions): unknown {
  if (error instanceof TypeError) return error;
  const { code, message, details, requestId } = (error ?? {}) as {
    code?: unknown;
    message?: unknown;
    details?: { op?: unknown; retryAfterMs?: unknown };
    requestId?: unknown;
  };
  const text = typeof message === "string" ? message : "the broker failed";
  if (code === "CANCELLED")
    return new ClientError("CANCELLED", "the call was cancelled", {}, { cause: signal?.reason });
  if (code === "DEADLINE_EXCEEDED") return new ClientError("DEADLINE_EXCEEDED", text, {}, { cause: error });
  const known = typeof code === "string" ? codeOfReason(code) : undefined;
  if (known === undefined) return new ClientError("PROTOCOL", text, {}, { cause: error });
  return new ClientError(
    known,
    text,
    {},
    {
      cause: error,
      reason: code as string,
      requestId: typeof requestId === "string" ? requestId : undefined,
      op: typeof details?.op === "string" ? details.op : undefined,
      retryAfterMs: typeof details?.retryAfterMs === "number" ? details.retryAfterMs : undefined,
    },
  );
}
