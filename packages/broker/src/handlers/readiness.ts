import { type ReadinessRequest, type ReadinessResponse, ReadinessResponseSchema } from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import { readinessOf } from "../health/readiness.js";
import type { Call } from "../request/call.js";

export async function readiness(_: ReadinessRequest, call: Call): Promise<ReadinessResponse> {
  const { generation, services } = call;
  const state = await call.ask(() => readinessOf(generation, services.probes));
  return create(ReadinessResponseSchema, { ...state, generation: BigInt(generation.id) });
}
