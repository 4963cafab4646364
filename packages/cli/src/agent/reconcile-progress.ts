import type { Logger } from "@basil/broker";
import type { ReconcileProgress } from "@basil/core";

const EVERY_MS = 1000;
const DONE = { probe: "keys looked for", generate: "keys created" } as const;

/**
 * Logs how far a start is with its keys, at most once a second, so that a long one is seen to move and a short one says
 * nothing.
 */
export function reconcileProgress(
  logger: Pick<Logger, "info">,
  now: () => number = () => performance.now(),
): (progress: ReconcileProgress) => void {
  let told = now();
  return ({ pass, done, total }) => {
    const at = now();
    if (at - told < EVERY_MS) return;
    told = at;
    logger.info({ pass, done, total }, `${done} of ${total} ${DONE[pass]}`);
  };
}
