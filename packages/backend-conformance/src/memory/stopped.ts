import { BackendError, type CallContext } from "@basil/core";

/** @throws {@link BackendError} `DEADLINE_EXCEEDED`, `CANCELLED` */
export function throwIfStopped({ signal, deadline }: CallContext): void {
  if (deadline !== undefined && Date.now() >= deadline) {
    throw new BackendError("DEADLINE_EXCEEDED", "the deadline has passed", {});
  }
  if (signal.aborted) throw new BackendError("CANCELLED", "the caller went away", {}, { cause: signal.reason });
}
