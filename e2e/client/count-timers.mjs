// Preloaded into an agent: counts the timers and the abort controllers that the process makes. SIGUSR2 writes the counts.
import { createHook } from "node:async_hooks";
import { renameSync, writeFileSync } from "node:fs";

const counts = { timers: 0, idleConnections: 0, controllers: 0 };

createHook({
  init(_id, type) {
    if (type !== "Timeout") return;
    // The pool of connections to KMS sets one when a connection becomes idle; it limits no request.
    if (new Error().stack.includes("client-h1.js")) counts.idleConnections += 1;
    else counts.timers += 1;
  },
}).enable();

globalThis.AbortController = class extends AbortController {
  constructor() {
    super();
    counts.controllers += 1;
  }
};

for (const name of ["any", "timeout"]) {
  const original = AbortSignal[name];
  AbortSignal[name] = (...args) => {
    counts.controllers += 1;
    return original.apply(AbortSignal, args);
  };
}

process.on("SIGUSR2", () => {
  const file = process.env.BASIL_TEST_COUNTS;
  writeFileSync(`${file}.new`, JSON.stringify(counts));
  renameSync(`${file}.new`, file);
});
