import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type GrpcConnection, type GrpcHandler, serveSocket } from "@basil/grpc-wire";

const METHODS = new Map<string, GrpcHandler>([
  ["/test.Test/Echo", (call) => call.respond(Buffer.from(call.message))],
  ["/test.Test/Refuse", (call) => call.end({ code: 7, message: "no – never" })],
  // Ends with its caller's deadline.
  ["/test.Test/Silent", () => {}],
  ["/test.Test/Count", (call) => void count(call, call.message[0] ?? 0)],
]);

async function count(call: Parameters<GrpcHandler>[0], messages: number): Promise<void> {
  for (let n = 0; n < messages; n++) if (!call.write(Buffer.alloc(5000, n))) await call.drained();
  call.end({ code: 0 });
}

/** A server on `@basil/grpc-wire` alone, at a unix socket and at a port of the loopback interface. */
export class EchoServer implements AsyncDisposable {
  readonly path: string;
  readonly port: number;
  readonly connections = new Map<Socket, GrpcConnection<undefined>>();
  readonly faults: unknown[] = [];
  readonly #dispose: () => Promise<void>;

  static async start(): Promise<EchoServer> {
    const folder = await mkdtemp(join(tmpdir(), "basil-echo-"));
    const path = join(folder, "s");
    const servers = [createServer(), createServer()] as const;
    servers[0].listen(path);
    servers[1].listen(0, "127.0.0.1");
    await Promise.all(servers.map((server) => once(server, "listening")));
    const server = new EchoServer(path, (servers[1].address() as AddressInfo).port, async () => {
      for (const socket of server.connections.keys()) socket.destroy();
      for (const each of servers) each.close();
      await rm(folder, { recursive: true });
    });
    for (const each of servers) each.on("connection", (socket) => server.#serve(socket));
    return server;
  }

  private constructor(path: string, port: number, dispose: () => Promise<void>) {
    this.path = path;
    this.port = port;
    this.#dispose = dispose;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#dispose();
  }

  #serve(socket: Socket): void {
    const onFault = (error: unknown) => this.faults.push(error);
    this.connections.set(socket, serveSocket(socket, { methods: METHODS, context: undefined, onFault }));
    socket.once("close", () => this.connections.delete(socket));
  }
}
