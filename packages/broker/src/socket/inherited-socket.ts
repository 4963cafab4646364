import type { Server } from "node:net";
import { BrokerError } from "../errors.js";
import { loadCLibrary } from "../native/c-library.js";

// asm-generic/socket.h, bits/socket.h
const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SO_ACCEPTCONN = 30;
const SO_DOMAIN = 39;
const AF_UNIX = 1;
const SOCK_STREAM = 1;

/**
 * Has `server` take connections from a unix stream socket that listens already, as a service manager hands it over
 * (sd_listen_fds(3)). Its path, mode and group are the manager's affair.
 *
 * @throws {@link BrokerError} `SOCKET_FAILED` for a descriptor that is no such socket.
 */
export async function listenInherited(server: Server, fd: number): Promise<void> {
  const library = await loadCLibrary();
  const option = (name: number) => {
    const value = library.socketOption(fd, SOL_SOCKET, name, 4);
    return value === undefined ? undefined : new Int32Array(value.slice().buffer)[0];
  };
  const path = `fd ${fd}`;
  if (option(SO_DOMAIN) !== AF_UNIX || option(SO_TYPE) !== SOCK_STREAM || option(SO_ACCEPTCONN) !== 1) {
    throw new BrokerError("SOCKET_FAILED", `${path} is not a unix stream socket that listens`, { path });
  }
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      reject(new BrokerError("SOCKET_FAILED", `cannot listen at ${path}: ${cause.message}`, { path }, { cause }));
    });
    server.listen({ fd }, resolve);
  });
}
