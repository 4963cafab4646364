import { EmulatorError } from "./errors.js";
import { checkMembers } from "./option-members.js";
import type { RandomSource } from "./random.js";

/** Milliseconds: one value, or any value from `min` to `max`, drawn from the seeded source. */
export type Span = number | { readonly min: number; readonly max: number };

/** Draws from a span; `path` names the option in the error for a bad one. */
export function drawFrom(span: Span | undefined, random: RandomSource, path: string): () => number {
  if (span === undefined) return () => 0;
  if (typeof span !== "number") checkMembers(span, { min: true, max: true }, path);
  const { min, max } = typeof span === "number" ? { min: span, max: span } : span;
  if (!(Number.isFinite(min) && Number.isFinite(max) && min >= 0 && max >= min)) {
    throw new EmulatorError(
      "OPTION_INVALID",
      `${path}: must be 0 or more milliseconds, or { min, max } with min <= max, found ${JSON.stringify(span)}`,
      { path },
    );
  }
  if (min === max) return () => min;
  return () => min + random.fraction() * (max - min);
}
