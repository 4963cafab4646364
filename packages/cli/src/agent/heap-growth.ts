import { PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** Bytes of one of the two halves of the young generation, at most. */
const SEMI_SPACE = 16 * 1024 * 1024;
/** By how much the old generation may grow over what was alive in it before it is collected again. */
const GROWTH_PERCENT = 75;

/**
 * Bounds what garbage takes in this process from now on: V8 lets the old generation grow to four times of what is alive in
 * it, and the young one to 2 × 64 MiB (Node 24, x64).
 *
 * @param options - What node was started with. An operator who chose the size of the young generation has that one.
 */
export function boundHeapGrowth(options: readonly (string | undefined)[]): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  if (options.some((option) => option !== undefined && /semi[-_]space/.test(option))) return;
  let factor = 0;
  // V8 reads the factor whenever it lets the young generation grow: the next time reaches the bound, and none goes past it.
  // In an idle process it shrinks, and then grows again.
  const aim = () => {
    const next = Math.max(1, Math.floor(SEMI_SPACE / semiSpace()));
    if (next !== factor) setFlagsFromString(`--semi-space-growth-factor=${next}`);
    factor = next;
  };
  aim();
  new PerformanceObserver(aim).observe({ entryTypes: ["gc"] });
}

function semiSpace(): number {
  const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
  // What is there of both halves is another sum: one of them is given back now and then.
  return space === undefined ? SEMI_SPACE : space.space_used_size + space.space_available_size;
}
