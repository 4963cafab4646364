import type { CallContext } from "@basil/core";

/** A caller that waits, unless told otherwise. */
export function context(options: { signal?: AbortSignal; deadline?: number } = {}): CallContext {
  return { signal: new AbortController().signal, requestId: "test", ...options };
}
