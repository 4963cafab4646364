import type { Socket } from "node:net";

/** RFC 9113 §3.4. */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/**
 * Waits until the other side has said that it speaks HTTP/2. What it said is put back, for the session to read. A socket
 * that says something else, or not enough in time, is destroyed: nothing was made for it yet.
 *
 * @param spoken - Gets the number of bytes that are there; called once, if at all.
 */
export function awaitPreface(socket: Socket, timeoutMs: number, spoken: (bytes: number) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  socket.once("close", () => clearTimeout(timer));
  socket.on("readable", read);

  function read(): void {
    for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
      chunks.push(chunk);
      length += chunk.length;
    }
    const start = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    const compared = Math.min(length, PREFACE.length);
    if (PREFACE.compare(start, 0, compared, 0, compared) !== 0) {
      socket.destroy();
      return;
    }
    if (length < PREFACE.length) return;
    clearTimeout(timer);
    socket.off("readable", read);
    // http2 reads what a socket has buffered before it reads the socket itself.
    socket.unshift(start);
    spoken(length);
  }
}
