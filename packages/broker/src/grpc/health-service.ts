import type { Identity } from "@basil/policy";
import {
  AdminService,
  grpcMethods,
  Health,
  type HealthCheckRequest,
  HealthCheckResponseSchema,
  ReadinessRequestSchema,
  type ReadinessResponse,
  HealthCheckResponse_ServingStatus as Status,
} from "@basil/proto";
import { create, type Message } from "@bufbuild/protobuf";
import { type handleUnaryCall, type Server, status } from "@grpc/grpc-js";
import type { Dispatcher } from "../request/dispatcher.js";
import type { Rpc } from "../request/rpcs.js";
import { wireError } from "./wire-error.js";

/** What the status of a service is asked by: the names of this protocol. */
const SERVICES: ReadonlySet<string> = new Set(AdminService.file.services.map(({ typeName }) => typeName));

/**
 * The Check of gRPC's health protocol, open to every caller. The server as a whole, by the empty name, serves while it
 * answers: an outage of a backend is no reason to restart it. A service of the protocol serves while the broker is ready.
 * Watch is left out, which tells clients to use Check.
 */
export function addHealthService(server: Server, readiness: Rpc, dispatcher: Dispatcher, identity: Identity): void {
  const { path, responseSerialize, requestDeserialize } = grpcMethods(Health).check;
  const check: handleUnaryCall<HealthCheckRequest, Message> = async ({ request: { service } }, answer) => {
    const serving = (is: boolean) =>
      answer(null, create(HealthCheckResponseSchema, { status: is ? Status.SERVING : Status.NOT_SERVING }));
    if (service === "") return serving(true);
    if (!SERVICES.has(service)) return answer({ code: status.NOT_FOUND, details: "unknown service" });
    const request = create(ReadinessRequestSchema);
    const outcome = await dispatcher.unary(readiness as Rpc & { kind: "unary" }, request, identity, {});
    if ("error" in outcome) return answer(wireError(outcome.error, outcome.requestId));
    return serving((outcome.answer as ReadinessResponse).ready);
  };
  server.register(path, check as never, responseSerialize as never, requestDeserialize, "unary");
}
