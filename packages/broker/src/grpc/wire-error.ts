import type { GrpcStatus } from "@basil/grpc-wire";
import { encodeStatusDetails } from "@basil/proto";
import { type AnyRequestError, BrokerError } from "../errors.js";
import { rpcs } from "../request/rpcs.js";
import { STATUS_CODES } from "../request/status-codes.js";

/** The answer to an unexpected exception: an opaque INTERNAL. */
export const FAULT: GrpcStatus = { code: STATUS_CODES.INTERNAL, message: "internal error" };

/** How long to wait before trying again, in milliseconds, as text (gRFC A6). */
const RETRY_KEY = "grpc-retry-pushback-ms";
/** Names the request in the audit log. */
const REQUEST_ID_KEY = "basil-request-id";
/** Milliseconds after which it makes sense to come again. */
const RETRY_AFTER_MS = 1000;

/**
 * A failure as gRPC carries it: one `BrokerErrorInfo` in the status details. Refusals of the policy say nothing that
 * differs from one to the next.
 */
export function wireError(error: AnyRequestError, requestId?: string): GrpcStatus {
  const { code: reason, message, details } = error;
  const code = STATUS_CODES[reason];
  const metadata: [string, string][] = [];
  if (error.code === "BACKEND_UNAVAILABLE" || error.code === "LIMIT_EXCEEDED") {
    metadata.push([RETRY_KEY, String(error.details.retryAfterMs)]);
  }
  if (requestId !== undefined && reason !== "UNAUTHORIZED" && reason !== "UNAUTHENTICATED") {
    metadata.push([REQUEST_ID_KEY, requestId]);
  }
  if (reason === "CANCELLED" || reason === "DEADLINE_EXCEEDED") return { code, message, metadata };
  return { code, message, details: encodeStatusDetails({ code, message, reason, op: details.op }), metadata };
}

/** The status of a request that a limit refuses before a handler sees it. */
export function refusal(path: string, reason: string): GrpcStatus {
  const op = rpcs().get(path)?.op ?? "";
  return wireError(new BrokerError("LIMIT_EXCEEDED", reason, { op, retryAfterMs: RETRY_AFTER_MS }));
}
