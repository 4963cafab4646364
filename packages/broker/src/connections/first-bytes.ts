import type { Socket } from "node:net";

/**
 * Collects the first bytes of a connection until `match` knows the protocol. A socket that sends something else, or not
 * enough in time, is destroyed before anything is allocated for it.
 *
 * @param match - Whether the bytes are the beginning of a protocol that is served; undefined while more are needed.
 * @param matched - Called with the bytes, once, if at all. The socket is flowing then.
 */
export function awaitFirstBytes(
  socket: Socket,
  timeoutMs: number,
  match: (bytes: Buffer) => boolean | undefined,
  matched: (bytes: Buffer) => void,
): void {
  let bytes: Buffer | undefined;
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  const close = () => clearTimeout(timer);
  socket.once("close", close);
  socket.on("data", read);

  function read(chunk: Buffer): void {
    bytes = bytes === undefined ? chunk : Buffer.concat([bytes, chunk]);
    const known = match(bytes);
    if (known === undefined) return;
    if (!known) {
      socket.destroy();
      return;
    }
    clearTimeout(timer);
    socket.off("close", close);
    socket.off("data", read);
    matched(bytes);
  }
}
