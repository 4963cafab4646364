import type { Socket } from "node:net";
import { GrpcConnection, type GrpcConnectionOptions } from "./connection.js";

/**
 * Serves gRPC on a socket and reads it as fast as the peer sends. For a server that divides its time between connections,
 * use {@link GrpcConnection} itself.
 */
export function serveSocket<Context>(
  socket: Socket,
  options: Omit<GrpcConnectionOptions<Context>, "onUnblocked">,
): GrpcConnection<Context> {
  const connection = new GrpcConnection(socket, { ...options, onUnblocked: () => read() });
  socket.on("data", (chunk) => {
    connection.push(chunk);
    read();
  });
  socket.on("error", () => socket.destroy());
  return connection;

  function read(): void {
    connection.read();
    if (connection.blocked) socket.pause();
    else socket.resume();
  }
}
