import { BackendError } from "@basil/core";
import { capabilities } from "./capabilities.js";

/**
 * How every call begins: what is not claimed is refused, before any key is looked for, and nothing starts for a caller
 * that is gone.
 *
 * @param {import("@basil/core").KeyRef} key
 * @param {import("@basil/core").TransitOperation} operation
 * @param {import("@basil/core").CallContext} context
 */
export function begin({ keyType }, operation, context) {
  const claim = /** @type {import("@basil/core").Capabilities} */ (capabilities).keyTypes[keyType];
  if (claim === undefined) throw new BackendError("UNSUPPORTED_ALGORITHM", `no ${keyType} keys here`, { keyType });
  if (!claim.operations.includes(operation))
    throw new BackendError("UNSUPPORTED", `a ${keyType} key has no ${operation}`, { operation });
  requireWanted(context);
  return claim;
}

/**
 * To be called again after each wait, and before anything that cannot be undone.
 *
 * @param {import("@basil/core").CallContext} context
 */
export function requireWanted({ signal, deadline }) {
  if (deadline !== undefined && Date.now() >= deadline) throw new BackendError("DEADLINE_EXCEEDED", "too late", {});
  if (signal.aborted) throw new BackendError("CANCELLED", "the caller went away", {}, { cause: signal.reason });
}

/**
 * @param {string} what
 * @param {Uint8Array} bytes
 * @param {import("@basil/core").ByteRange | undefined} range
 */
export function requireSize(what, { length: actual }, { min = 0, max: limit = Infinity } = { min: 0 }) {
  if (actual < min) throw new BackendError("INVALID_REQUEST", `${what}: ${actual} bytes, at least ${min}`, {});
  if (actual > limit)
    throw new BackendError("PAYLOAD_TOO_LARGE", `${what}: ${actual} bytes, at most ${limit}`, { limit, actual });
}
