import { constants, type ServerHttp2Stream } from "node:http2";
import { BrokerError } from "../errors.js";
import { rpcs } from "../request/rpcs.js";
import { wireError } from "./wire-error.js";

/** Milliseconds after which it makes sense to come again. */
const RETRY_AFTER_MS = 1000;

/** Answers `LIMIT_EXCEEDED` to a request that no handler has seen yet, and reads no more of it. */
export function refuseStream(stream: ServerHttp2Stream, path: string, reason: string): void {
  if (stream.destroyed || stream.closed) return;
  if (!stream.headersSent) {
    const op = rpcs().get(path)?.op ?? "";
    const error = new BrokerError("LIMIT_EXCEEDED", reason, { op, retryAfterMs: RETRY_AFTER_MS });
    const { code, details, metadata } = wireError(error);
    const status = { "grpc-status": code, "grpc-message": encodeURI(details), ...metadata.toHttp2Headers() };
    const headers = { ":status": 200, "content-type": "application/grpc+proto", ...status };
    stream.respond(headers, { endStream: true });
  }
  // RFC 9113 §8.1: a whole answer before the whole request, and then a reset without an error.
  // Node 26 sends a reset ahead of an answer that is not on its way yet: not before the loop has sent what this turn wrote.
  setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
}
