import type { Terminal } from "../terminal.js";

const EVERY_MS = 1000;

/** Tells a person at a terminal how far it is, once a second; says nothing when it is done before that. */
export function liveProgress(
  backend: string,
  { isTerminal, err }: Pick<Terminal, "isTerminal" | "err">,
  now: () => number = () => performance.now(),
): (done: number, total: number) => void {
  let told = now();
  return (done, total) => {
    const at = now();
    if (!isTerminal || done === total || at - told < EVERY_MS) return;
    told = at;
    err(`${backend}: asked about ${done} of ${total} keys`);
  };
}
