import { GrpcConnection, hasPreface } from "@basil/grpc-wire";
import type { Protocol } from "../connections/protocol.js";
import type { HealthWatches } from "../health/health-watches.js";
import type { Limits } from "../limits.js";
import type { Logger } from "../logger.js";
import type { Dispatcher } from "../request/dispatcher.js";
import { healthMethods } from "./health-service.js";
import { protocolMethods } from "./methods.js";
import { refusal } from "./wire-error.js";

export interface GrpcProtocolParts {
  readonly dispatcher: Dispatcher;
  readonly limits: Limits;
  readonly logger: Logger;
  readonly watches: HealthWatches;
}

/** The protocol's methods and gRPC's health service, over HTTP/2 with prior knowledge (RFC 9113 §3.3). */
export function grpcProtocol({ dispatcher, limits, logger, watches }: GrpcProtocolParts): Protocol {
  const methods = new Map([...protocolMethods(dispatcher), ...healthMethods(dispatcher, watches)]);
  const onFault = (error: unknown, path: string) =>
    logger.error({ path, error: String(error) }, "a request failed inside the broker");
  return {
    matches: hasPreface,
    serve: (socket, { identity, heldBytes, onUnblocked }) =>
      new GrpcConnection(socket, {
        methods,
        context: identity,
        limits,
        ledger: heldBytes,
        refusal,
        onFault,
        onUnblocked,
      }),
  };
}
