import type { GrpcCall, GrpcHandler } from "@basil/grpc-wire";
import type { UnixIdentity } from "@basil/policy";
import type { Message } from "@bufbuild/protobuf";
import { isBrokerError } from "../errors.js";
import type { Dispatcher } from "../request/dispatcher.js";
import { type Rpc, rpcs } from "../request/rpcs.js";
import { hasSecrets, zeroSecrets } from "../request/secret-bytes.js";
import { isRequestError, STATUS_CODES } from "../request/status-codes.js";
import { FAULT, wireError } from "./wire-error.js";

export type MethodHandler = GrpcHandler<UnixIdentity>;

/** A handler for each method of the protocol, by its path. */
export function* protocolMethods(dispatcher: Dispatcher): Generator<readonly [path: string, handler: MethodHandler]> {
  for (const [path, rpc] of rpcs()) {
    yield [path, rpc.kind === "unary" ? unary(rpc, dispatcher) : stream(rpc, dispatcher)];
  }
}

function unary(rpc: Rpc & { kind: "unary" }, dispatcher: Dispatcher): MethodHandler {
  const { requestDeserialize, responseSerialize } = rpc.method;
  return (call, identity) => {
    const request = decode(call, requestDeserialize);
    if (request === undefined) return;
    const released = hasSecrets(request) ? () => zeroSecrets(request) : undefined;
    dispatcher
      .unary(rpc, request, identity, {
        caller: call,
        deadline: deadlineOf(call),
        released,
        metadata: (name) => call.metadata(name),
      })
      .then((outcome) => {
        if ("error" in outcome) {
          call.end(wireError(outcome.error, outcome.requestId));
          return;
        }
        // An answer that the caller did not wait for is not encoded.
        if (!call.cancelled) call.respond(responseSerialize(outcome.answer));
        zeroSecrets(outcome.answer);
      })
      .catch(() => call.end(FAULT));
  };
}

function stream(rpc: Rpc & { kind: "stream" }, dispatcher: Dispatcher): MethodHandler {
  const { requestDeserialize, responseSerialize } = rpc.method;
  return (call, identity) => {
    const request = decode(call, requestDeserialize);
    if (request !== undefined) void answer(call, request, identity).catch(() => call.end(FAULT));
  };

  async function answer(call: GrpcCall, request: Message, identity: UnixIdentity): Promise<void> {
    const outcome = await dispatcher.stream(rpc, request, identity, { caller: call, deadline: deadlineOf(call) });
    if ("error" in outcome) {
      call.end(wireError(outcome.error, outcome.requestId));
      return;
    }
    try {
      await sendAll(call, outcome.answer, responseSerialize);
    } catch (error) {
      if (!isBrokerError(error) || !isRequestError(error)) throw error;
      call.end(wireError(error, outcome.requestId));
    }
  }
}

/** Sends each message as fast as the peer reads them, then status 0. */
export async function sendAll<M>(
  call: GrpcCall,
  messages: Iterable<M> | (AsyncIterable<M> & { end(): void }),
  serialize: (message: M) => Uint8Array,
): Promise<void> {
  if ("end" in messages) {
    call.onCancel = () => messages.end();
    if (call.cancelled) messages.end();
  }
  // A stream that has no message yet has begun all the same.
  call.start();
  for await (const message of messages) {
    if (call.cancelled) return;
    if (!call.write(serialize(message))) await call.drained();
  }
  call.end({ code: 0 });
}

/** The message of a request. One that is not valid ends the call. */
export function decode<M>(call: GrpcCall, deserialize: (bytes: Uint8Array) => M): M | undefined {
  try {
    return deserialize(call.message);
  } catch {
    call.end({ code: STATUS_CODES.INTERNAL, message: "the request's message is not valid" });
    return undefined;
  }
}

/** Milliseconds since the epoch. */
function deadlineOf({ timeoutMs }: GrpcCall): number | undefined {
  return timeoutMs === undefined ? undefined : Date.now() + timeoutMs;
}
