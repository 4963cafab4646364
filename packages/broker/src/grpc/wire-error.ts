import { encodeStatusDetails, STATUS_DETAILS_KEY } from "@basil/proto";
import { Metadata, type StatusObject, status } from "@grpc/grpc-js";
import type { AnyRequestError } from "../errors.js";
import { STATUS_CODES } from "../request/status-codes.js";

/** For what nobody foresaw: the caller is told nothing of it, and the process lives on. */
export const FAULT = { code: status.INTERNAL, details: "internal error" } as const;

/** How long to wait before trying again, in milliseconds, as text (gRFC A6). */
const RETRY_KEY = "grpc-retry-pushback-ms";
/** Names the request in the audit log. */
const REQUEST_ID_KEY = "basil-request-id";

/**
 * A failure as gRPC carries it: one `BrokerErrorInfo` in the status details. Refusals of the policy say nothing that
 * differs from one to the next.
 */
export function wireError(error: AnyRequestError, requestId?: string): StatusObject {
  const { code: reason, message, details } = error;
  const code = STATUS_CODES[reason];
  const metadata = new Metadata();
  if (reason !== "CANCELLED" && reason !== "DEADLINE_EXCEEDED") {
    const bytes = encodeStatusDetails({ code, message, reason, op: details.op });
    metadata.set(STATUS_DETAILS_KEY, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }
  if (error.code === "BACKEND_UNAVAILABLE" || error.code === "LIMIT_EXCEEDED") {
    metadata.set(RETRY_KEY, String(error.details.retryAfterMs));
  }
  if (requestId !== undefined && reason !== "UNAUTHORIZED" && reason !== "UNAUTHENTICATED")
    metadata.set(REQUEST_ID_KEY, requestId);
  return { code, details: message, metadata };
}
