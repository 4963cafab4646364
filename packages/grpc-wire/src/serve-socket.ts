import type { Socket } from "node:net";
import { GrpcConnection, type GrpcConnectionOptions } from "./connection.js";

/**
 * Serves gRPC on a socket and reads it as fast as the peer sends. For a server that divides its time between connections,
 * use {@link GrpcConnection} itself.
 */
export function serveSocket(socket: Socket, options: GrpcConnectionOptions): GrpcConnection {
  const connection = new GrpcConnection(socket, options);
  socket.on("data", (chunk) => {
    connection.push(chunk);
    connection.read();
    if (connection.blocked) socket.pause();
  });
  socket.on("drain", () => {
    connection.read();
    if (!connection.blocked) socket.resume();
  });
  socket.on("error", () => socket.destroy());
  return connection;
}
