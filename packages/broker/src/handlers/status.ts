import {
  type HealthRequest,
  type HealthResponse,
  HealthResponseSchema,
  type StatusRequest,
  type StatusResponse,
  StatusResponseSchema,
} from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import type { Call } from "../request/call.js";

const PROTOCOL = 1;

export async function status(_: StatusRequest, call: Call): Promise<StatusResponse> {
  call.requireSubject("status");
  // Maps of a catalog iterate in byte order of the name.
  const [first] = call.generation.catalog.backends.values();
  return create(StatusResponseSchema, {
    backend: first?.kind ?? "none",
    version: call.services.version,
    protocol: PROTOCOL,
  });
}

/** The process answers: nothing else is asked. */
export async function health(_: HealthRequest, call: Call): Promise<HealthResponse> {
  return create(HealthResponseSchema, { alive: true, version: call.services.version });
}
