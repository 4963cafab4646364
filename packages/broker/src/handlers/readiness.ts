import { ReadinessReason, type ReadinessRequest, type ReadinessResponse, ReadinessResponseSchema } from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import type { Call } from "../request/call.js";

/**
 * Whether every key can be used. A key that cannot be asked about makes the broker unready without counts; one that is
 * there and unusable (disabled, of another kind) counts as absent.
 */
export async function readiness(_: ReadinessRequest, call: Call): Promise<ReadinessResponse> {
  const { catalog, id } = call.generation;
  const probes = await call.ask(() => call.services.probes.of(catalog));
  const generation = BigInt(id);
  const failed = [...probes].filter(([, { state }]) => state === "failed");
  if (failed.length > 0) {
    return create(ReadinessResponseSchema, { ready: false, reason: ReadinessReason.BACKEND_UNREACHABLE, generation });
  }
  const absent = [...catalog.keys.values()].filter(({ name }) => probes.get(name)?.state !== "present");
  const required = absent.filter(({ missing }) => missing === "error").length;
  return create(ReadinessResponseSchema, {
    ready: required === 0,
    reason: required === 0 ? ReadinessReason.READY : ReadinessReason.REQUIRED_KEY_MISSING,
    generation,
    keysTotal: catalog.keys.size,
    keysPresent: catalog.keys.size - absent.length,
    keysRequiredMissing: required,
    keysOptionalMissing: absent.length - required,
  });
}
