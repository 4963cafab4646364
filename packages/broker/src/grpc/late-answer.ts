import type { ServerHttp2Stream } from "node:http2";

/**
 * Has a stream take no answer any more once it is closed or answered. grpc-js answers a method it does not know, and a content
 * type, without a look: on a stream that was reset in the same read, or refused before, that throws where nobody catches it.
 */
export function ignoreLateAnswer(stream: ServerHttp2Stream): void {
  const { respond } = stream;
  stream.respond = (headers, options) => {
    if (!stream.destroyed && !stream.closed && !stream.headersSent) respond.call(stream, headers, options);
  };
}
