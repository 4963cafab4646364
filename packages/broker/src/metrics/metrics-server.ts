import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { BrokerError } from "../errors.js";
import { type BoundSocket, bindSocket, type SocketOptions } from "../socket/bind-socket.js";
import type { BrokerMetrics } from "./broker-metrics.js";

/** A unix socket, or a port of the loopback interface; port 0 takes any that is free. */
export type MetricsOptions = SocketOptions | { readonly port: number };

/** Where metrics are read: `GET /metrics`. */
export interface MetricsServer extends AsyncDisposable {
  /** The socket's path, or `http://127.0.0.1:PORT`. */
  readonly address: string;
}

const LOOPBACK = "127.0.0.1";
const MAX_CONNECTIONS = 16;

/** @throws {@link BrokerError} as `listen`; `SOCKET_FAILED` for a port that is taken. */
export async function serveMetrics(metrics: BrokerMetrics, options: MetricsOptions): Promise<MetricsServer> {
  const server = createServer({ requestTimeout: 5000, headersTimeout: 5000, keepAliveTimeout: 5000 });
  server.maxConnections = MAX_CONNECTIONS;
  server.on("request", async ({ method, url }, response) => {
    if (method !== "GET" || url !== "/metrics") {
      response.writeHead(method === "GET" ? 404 : 405, method === "GET" ? {} : { allow: "GET" }).end();
      return;
    }
    response.writeHead(200, { "content-type": metrics.contentType }).end(await metrics.text());
  });
  const bound = "path" in options ? await bindSocket(server, options) : undefined;
  if ("port" in options) await listenAtPort(server, options.port);
  return {
    address: bound?.path ?? `http://${LOOPBACK}:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => close(server, bound),
  };
}

function listenAtPort(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const address = `${LOOPBACK}:${port}`;
      const details = { path: address, ...(cause.code === undefined ? {} : { errno: cause.code }) };
      reject(new BrokerError("SOCKET_FAILED", `cannot listen at ${address}: ${cause.message}`, details, { cause }));
    });
    server.listen(port, LOOPBACK, resolve);
  });
}

async function close(server: Server, bound: BoundSocket | undefined): Promise<void> {
  await bound?.[Symbol.asyncDispose]();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
