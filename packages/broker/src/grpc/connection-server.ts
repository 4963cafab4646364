import type { Identity } from "@basil/policy";
import { AdminService, grpcMethods } from "@basil/proto";
import type { Message } from "@bufbuild/protobuf";
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  type ServerUnaryCall,
  type ServerWritableStream,
} from "@grpc/grpc-js";
import { isBrokerError } from "../errors.js";
import type { HealthWatches } from "../health/health-watches.js";
import type { Limits } from "../limits.js";
import type { Dispatcher } from "../request/dispatcher.js";
import { type Rpc, rpcs } from "../request/rpcs.js";
import { hasSecrets, zeroSecrets } from "../request/secret-bytes.js";
import { isRequestError } from "../request/status-codes.js";
import { drained } from "./drained.js";
import { addHealthService } from "./health-service.js";
import { FAULT, wireError } from "./wire-error.js";

const READINESS = rpcs().get(grpcMethods(AdminService).readiness.path) as Rpc;

/** One for all: making an error for each takes more time than ending the call. */
const CALLER_LEFT = new Error("the caller went away");

/** How busy a connection is. */
export interface ConnectionLoad {
  inFlight: number;
}

/** A method and how its answers are encoded. */
export interface ServedMethod {
  readonly rpc: Rpc;
  readonly serialize: (message: Message) => Buffer;
}

/** Made once for all connections. */
export function servedMethods(): readonly ServedMethod[] {
  return [...rpcs().values()].map((rpc) => ({ rpc, serialize: lastly(rpc.method.responseSerialize) }));
}

/** A server for one connection: the identity it answers to is that of the connection, and there is no table to look it up in. */
export function connectionServer(
  methods: readonly ServedMethod[],
  dispatcher: Dispatcher,
  identity: Identity,
  { maxMessageBytes, maxStreams, idleTimeoutMs }: Limits,
  load: ConnectionLoad,
  watches: HealthWatches,
): Server {
  const server = new Server({
    "grpc.enable_channelz": 0,
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_concurrent_streams": maxStreams,
    "grpc.max_connection_idle_ms": idleTimeoutMs,
  });
  for (const { rpc, serialize } of methods) {
    const { path, requestDeserialize } = rpc.method;
    if (rpc.kind === "unary") {
      server.register(path, unary(rpc, dispatcher, identity, load), serialize, requestDeserialize, "unary");
    } else {
      server.register(path, stream(rpc, dispatcher, identity, load), serialize, requestDeserialize, "serverStream");
    }
  }
  addHealthService(server, { readiness: READINESS, dispatcher, identity, watches });
  return server;
}

/** The encoding is a copy, and nobody reads the message after it. */
function lastly(serialize: (message: Message) => Buffer): (message: Message) => Buffer {
  return (message) => {
    const encoded = serialize(message);
    zeroSecrets(message);
    return encoded;
  };
}

function unary(
  rpc: Rpc & { kind: "unary" },
  dispatcher: Dispatcher,
  identity: Identity,
  load: ConnectionLoad,
): handleUnaryCall<Message, Message> {
  return (call, answer) => {
    load.inFlight += 1;
    const { request } = call;
    const released = hasSecrets(request) ? () => zeroSecrets(request) : undefined;
    void dispatcher
      .unary(rpc, request, identity, { ...ending(call), released })
      .then((outcome) => {
        if ("error" in outcome) answer(wireError(outcome.error, outcome.requestId));
        else answer(null, outcome.answer);
        // What the caller did not wait for is not encoded any more.
        if (call.cancelled && "answer" in outcome) zeroSecrets(outcome.answer);
      })
      .catch(() => answer(FAULT))
      .finally(() => {
        load.inFlight -= 1;
      });
  };
}

function stream(
  rpc: Rpc & { kind: "stream" },
  dispatcher: Dispatcher,
  identity: Identity,
  load: ConnectionLoad,
): handleServerStreamingCall<Message, Message> {
  return async (call) => {
    load.inFlight += 1;
    try {
      await answerStream(call);
    } catch {
      call.emit("error", FAULT);
    } finally {
      load.inFlight -= 1;
    }
  };

  async function answerStream(call: ServerWritableStream<Message, Message>): Promise<void> {
    const outcome = await dispatcher.stream(rpc, call.request, identity, ending(call));
    if ("error" in outcome) {
      call.emit("error", wireError(outcome.error, outcome.requestId));
      return;
    }
    const { answer } = outcome;
    if ("end" in answer) {
      call.once("cancelled", () => answer.end());
      if (call.cancelled) answer.end();
    }
    // A stream that has nothing to say yet has begun all the same.
    call.sendMetadata(new Metadata());
    try {
      for await (const message of answer) {
        if (call.cancelled || call.destroyed) return;
        if (!call.write(message)) await drained(call);
      }
      call.end();
    } catch (error) {
      if (!isBrokerError(error) || !isRequestError(error)) throw error;
      call.emit("error", wireError(error, outcome.requestId));
    }
  }
}

function ending(call: ServerUnaryCall<Message, Message> | ServerWritableStream<Message, Message>) {
  const gone = new AbortController();
  call.once("cancelled", () => gone.abort(CALLER_LEFT));
  const deadline = call.getDeadline();
  const at = deadline instanceof Date ? deadline.getTime() : deadline;
  return { signal: gone.signal, ...(Number.isFinite(at) ? { deadline: at } : {}) };
}
