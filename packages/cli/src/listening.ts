import { connect } from "node:net";

const PATIENCE_MS = 1000;

/** Whether somebody takes connections at a unix socket's path. One that neither takes nor refuses counts. */
export function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PATIENCE_MS, () => end(true));
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}
