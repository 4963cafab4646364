import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { EmulatorError } from "../errors.js";
import type { WireRequest, WireResponse } from "./wire.js";
import { textResponse } from "./wire.js";

/** The largest request of the service is some 200 KB. */
const maximumBodyBytes = 1_048_576;

export interface RunningServer {
  /** e.g. `http://127.0.0.1:40123` */
  readonly endpoint: string;
  /** Stops listening and cuts every connection. */
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly handle: (request: WireRequest) => Promise<WireResponse>;
}

function headersOf(message: IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>();
  for (let i = 0; i + 1 < message.rawHeaders.length; i += 2) {
    const name = (message.rawHeaders[i] ?? "").toLowerCase();
    const value = message.rawHeaders[i + 1] ?? "";
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before},${value}`);
  }
  return headers;
}

/** Undefined when the body is over the limit. */
async function bodyOf(message: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of message as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length <= maximumBodyBytes) chunks.push(chunk);
  }
  return length > maximumBodyBytes ? undefined : new Uint8Array(Buffer.concat(chunks));
}

async function serve(
  message: IncomingMessage,
  response: ServerResponse,
  handle: ServerOptions["handle"],
): Promise<void> {
  const body = await bodyOf(message);
  const url = message.url ?? "/";
  const question = url.indexOf("?");
  const answer =
    body === undefined
      ? textResponse(413, "text/plain", `Request bodies are limited to ${maximumBodyBytes} bytes.\n`)
      : await handle({
          method: message.method ?? "GET",
          path: question < 0 ? url : url.slice(0, question),
          query: question < 0 ? "" : url.slice(question + 1),
          headers: headersOf(message),
          body,
          remoteAddress: message.socket.remoteAddress?.replace(/^::ffff:/, "") ?? "127.0.0.1",
        });
  const { mishap } = answer;
  if (mishap?.kind === "hang") return;
  if (mishap?.kind === "reset") {
    message.socket.resetAndDestroy();
    return;
  }
  response.sendDate = false;
  response.writeHead(answer.status, { ...answer.headers, "content-length": answer.body.length });
  if (mishap === undefined) {
    response.end(answer.body);
    return;
  }
  const part = answer.body.subarray(0, Math.min(mishap.bytes, answer.body.length));
  response.write(part, () => message.socket.destroySoon());
}

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there",
  EADDRNOTAVAIL: "it is no address of this host",
  EACCES: "permission denied",
};

/** @throws {@link EmulatorError} `LISTEN_FAILED` */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host, port, handle } = options;
  const server: Server = createServer({ keepAliveTimeout: 60_000 }, (message, response) => {
    serve(message, response, handle).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const why = LISTEN_PROBLEMS[cause.code ?? ""] ?? cause.message;
      reject(new EmulatorError("LISTEN_FAILED", `cannot listen on ${host}:${port}: ${why}`, { host, port }, { cause }));
    });
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return {
    endpoint: `http://${name}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
