import { type AnyBackendError, asBackendError, type BackendErrorCode } from "@basil/core";
import { type AnyRequestError, BrokerError } from "../errors.js";

/** Milliseconds a caller is asked to wait when the backend did not say. */
export const RETRY_AFTER_MS = 1000;
/** The longest a backend can have callers wait. */
const MAX_RETRY_AFTER_MS = 3_600_000;

type Answer = (op: string, error: AnyBackendError) => BrokerError;

/**
 * What a caller sees of a backend's failure. The backend's own text names ARNs, roles and endpoints: it goes into
 * `cause`, for the operator's log, and nowhere else.
 */
const ANSWERS = {
  UNSUPPORTED: (op, cause) =>
    new BrokerError("UNSUPPORTED", "the key's backend does not offer this operation", { op }, { cause }),
  UNSUPPORTED_ALGORITHM: (op, cause) =>
    new BrokerError(
      "UNSUPPORTED_ALGORITHM",
      "the key's backend does not offer this for its key type",
      { op },
      { cause },
    ),
  KEY_NOT_FOUND: (op, cause) => new BrokerError("INTERNAL", "key not found in its backend", { op }, { cause }),
  KEY_UNUSABLE: backendError,
  KEY_EXISTS: (op, cause) => new BrokerError("INVALID_REQUEST", "the key exists already", { op }, { cause }),
  INVALID_REQUEST: (op, cause) =>
    new BrokerError("INVALID_REQUEST", "the key's backend does not take this input", { op }, { cause }),
  PAYLOAD_TOO_LARGE: (op, cause) => new BrokerError("PAYLOAD_TOO_LARGE", tooLarge(cause), { op }, { cause }),
  DECRYPT_FAILED: (op, cause) => new BrokerError("DECRYPT_FAILED", "decrypt failed", { op }, { cause }),
  ACCESS_DENIED: backendError,
  UNAVAILABLE: (op, cause) => unavailable(op, cause, retryAfterMs(cause)),
  REJECTED: backendError,
  PROTOCOL: backendError,
  SIGNATURE_MALFORMED: (op, cause) =>
    new BrokerError("INVALID_REQUEST", "the signature does not have the form of the key's type", { op }, { cause }),
  PUBLIC_KEY_MALFORMED: backendError,
  // A backend that stops by itself, while its caller still waits, has failed to answer.
  CANCELLED: (op, cause) => unavailable(op, cause),
  DEADLINE_EXCEEDED: (op, cause) => unavailable(op, cause),
} as const satisfies Record<BackendErrorCode, Answer>;

/** The answer to a caller for whatever a backend threw. */
export function backendAnswer(op: string, error: unknown): AnyRequestError {
  const known = asBackendError(error);
  const answer: Answer = ANSWERS[known.code];
  return answer(op, known) as AnyRequestError;
}

export function unavailable(op: string, cause: unknown, ms = RETRY_AFTER_MS): BrokerError<"BACKEND_UNAVAILABLE"> {
  return new BrokerError("BACKEND_UNAVAILABLE", "backend unavailable", { op, retryAfterMs: ms }, { cause });
}

function backendError(op: string, cause: AnyBackendError): BrokerError<"BACKEND_ERROR"> {
  return new BrokerError("BACKEND_ERROR", "backend operation failed", { op }, { cause });
}

function retryAfterMs(error: AnyBackendError): number {
  const ms = error.code === "UNAVAILABLE" ? error.details.retryAfterMs : undefined;
  if (typeof ms !== "number" || !Number.isFinite(ms)) return RETRY_AFTER_MS;
  return Math.min(MAX_RETRY_AFTER_MS, Math.max(0, Math.round(ms)));
}

function tooLarge(error: AnyBackendError): string {
  const { actual, limit } = error.code === "PAYLOAD_TOO_LARGE" ? error.details : {};
  // Numbers alone: a text of the backend's is for the operator.
  if (!Number.isSafeInteger(actual) || !Number.isSafeInteger(limit)) return "the payload is too large";
  return `${actual} bytes are over the limit of the key's backend, ${limit}`;
}
