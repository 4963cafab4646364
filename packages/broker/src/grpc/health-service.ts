import type { GrpcCall } from "@basil/grpc-wire";
import type { Identity } from "@basil/policy";
import {
  AdminService,
  grpcMethods,
  Health,
  HealthCheckResponseSchema,
  ReadinessRequestSchema,
  type ReadinessResponse,
  HealthCheckResponse_ServingStatus as Status,
} from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import { isBrokerError } from "../errors.js";
import { type HealthWatches, healthSubject } from "../health/health-watches.js";
import type { Dispatcher } from "../request/dispatcher.js";
import { type Rpc, rpcs } from "../request/rpcs.js";
import { isRequestError } from "../request/status-codes.js";
import { decode, type MethodHandler, sendAll } from "./methods.js";
import { FAULT, wireError } from "./wire-error.js";

/** NOT_FOUND (gRPC Health Checking Protocol). */
const UNKNOWN_SERVICE = { code: 5, message: "unknown service" };

/**
 * gRPC's health protocol, open to every caller. The server as a whole, by the empty name, serves while it answers: an
 * outage of a backend is no reason to restart it. A service of the protocol serves while the broker is ready.
 */
export function* healthMethods(
  dispatcher: Dispatcher,
  watches: HealthWatches,
): Generator<readonly [path: string, handler: MethodHandler]> {
  const { check, watch } = grpcMethods(Health);
  const readiness = rpcs().get(grpcMethods(AdminService).readiness.path) as Rpc & { kind: "unary" };
  yield [
    check.path,
    (call, identity) => {
      const request = decode(call, check.requestDeserialize);
      if (request === undefined) return;
      const serving = (is: boolean) => call.respond(serialize(is ? Status.SERVING : Status.NOT_SERVING));
      const subject = healthSubject(request.service);
      if (subject === "server") serving(true);
      else if (subject === "unknown") call.end(UNKNOWN_SERVICE);
      else ask(call, identity, serving).catch(() => call.end(FAULT));
    },
  ];
  yield [
    watch.path,
    (call, { uid }) => {
      const request = decode(call, watch.requestDeserialize);
      if (request === undefined) return;
      try {
        const states = watches.watch(request.service, String(uid));
        sendAll(call, states, serialize).catch(() => call.end(FAULT));
      } catch (error) {
        if (!isBrokerError(error) || !isRequestError(error)) throw error;
        call.end(wireError(error));
      }
    },
  ];

  async function ask(call: GrpcCall, identity: Identity, serving: (is: boolean) => void): Promise<void> {
    const outcome = await dispatcher.unary(readiness, create(ReadinessRequestSchema), identity, { caller: call });
    if ("error" in outcome) call.end(wireError(outcome.error, outcome.requestId));
    else serving((outcome.answer as ReadinessResponse).ready);
  }

  function serialize(status: Status): Uint8Array {
    return check.responseSerialize(create(HealthCheckResponseSchema, { status }));
  }
}
