import type { Identity } from "@basil/policy";
import {
  grpcMethods,
  Health,
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  ReadinessRequestSchema,
  type ReadinessResponse,
  HealthCheckResponse_ServingStatus as Status,
} from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type Server,
  type ServerWritableStream,
  status,
} from "@grpc/grpc-js";
import { isBrokerError } from "../errors.js";
import { type HealthWatches, healthSubject } from "../health/health-watches.js";
import type { Dispatcher } from "../request/dispatcher.js";
import type { EndlessStream } from "../request/handler.js";
import type { Rpc } from "../request/rpcs.js";
import { isRequestError } from "../request/status-codes.js";
import { drained } from "./drained.js";
import { FAULT, wireError } from "./wire-error.js";

export interface HealthServiceParts {
  readonly readiness: Rpc;
  readonly dispatcher: Dispatcher;
  readonly identity: Identity;
  readonly watches: HealthWatches;
}

type WatchCall = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

/**
 * gRPC's health protocol, open to every caller. The server as a whole, by the empty name, serves while it answers: an
 * outage of a backend is no reason to restart it. A service of the protocol serves while the broker is ready.
 */
export function addHealthService(server: Server, parts: HealthServiceParts): void {
  const { check, watch } = grpcMethods(Health);
  server.register(check.path, checkOf(parts) as never, check.responseSerialize, check.requestDeserialize, "unary");
  const { path, responseSerialize, requestDeserialize } = watch;
  server.register(path, watchOf(parts) as never, responseSerialize, requestDeserialize, "serverStream");
}

function checkOf({ readiness, dispatcher, identity }: HealthServiceParts) {
  const check: handleUnaryCall<HealthCheckRequest, HealthCheckResponse> = async ({ request: { service } }, answer) => {
    const serving = (is: boolean) => answer(null, response(is ? Status.SERVING : Status.NOT_SERVING));
    const subject = healthSubject(service);
    if (subject === "server") return serving(true);
    if (subject === "unknown") return answer({ code: status.NOT_FOUND, details: "unknown service" });
    const request = create(ReadinessRequestSchema);
    try {
      const outcome = await dispatcher.unary(readiness as Rpc & { kind: "unary" }, request, identity, {});
      if ("error" in outcome) return answer(wireError(outcome.error, outcome.requestId));
      return serving((outcome.answer as ReadinessResponse).ready);
    } catch {
      return answer(FAULT);
    }
  };
  return check;
}

function watchOf({ watches, identity }: HealthServiceParts) {
  const user = identity.kind === "unix" ? String(identity.uid) : identity.kind;
  const watch: handleServerStreamingCall<HealthCheckRequest, HealthCheckResponse> = (call) => {
    let states: EndlessStream<Status>;
    try {
      states = watches.watch(call.request.service, user);
    } catch (error) {
      if (!isBrokerError(error) || !isRequestError(error)) throw error;
      call.emit("error", wireError(error));
      return;
    }
    call.once("cancelled", () => states.end());
    if (call.cancelled) states.end();
    void tell(call, states);
  };
  return watch;
}

async function tell(call: WatchCall, states: EndlessStream<Status>): Promise<void> {
  call.sendMetadata(new Metadata());
  for await (const state of states) {
    if (call.cancelled || call.destroyed) return;
    if (!call.write(response(state))) await drained(call);
  }
  call.end();
}

function response(state: Status): HealthCheckResponse {
  return create(HealthCheckResponseSchema, { status: state });
}
