import { encodeHeaders } from "./hpack/header-encoder.js";
import type { RequestHead } from "./request-head.js";

/** Another content type than gRPC's, and another method than POST (gRPC over HTTP/2, "Content-Type", "Method"). */
export type HttpRejection = 415 | 405;

/** For people who try the socket with a client of HTTP. */
export const HTTP_REJECTION_TEXT = "this server speaks gRPC: POST with content-type application/grpc\n";

/** The HTTP status of a request that is not gRPC, or undefined for one that is. */
export function httpRejection({ contentType, method }: RequestHead): HttpRejection | undefined {
  // `application/grpc`, alone or with a suffix or parameters.
  if (!/^application\/grpc(?:[+;]|$)/.test(contentType)) return 415;
  return method === "POST" ? undefined : 405;
}

export function encodeHttpRejection(status: HttpRejection): Buffer {
  return encodeHeaders([
    [":status", String(status)],
    ["content-type", "text/plain"],
  ]);
}
