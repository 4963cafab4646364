import { channel } from "node:diagnostics_channel";

/** What subscribers of `basil:broker:request` are told when a request is answered. No payload, no signature, no secret. */
export interface RequestEvent {
  readonly requestId: string;
  /** The method in snake case. */
  readonly op: string;
  /** `OK`, or the code the caller saw. */
  readonly code: string;
  /** Undefined for a method without a key. */
  readonly target: string | undefined;
  /** The caller's subject; undefined for a caller without one. */
  readonly subject: string | undefined;
  /** Microseconds from the request to its answer. */
  readonly latencyUs: number;
}

/** The channel every broker of the process publishes on (Node's `diagnostics_channel`). */
export const REQUEST_CHANNEL = "basil:broker:request";

const requests = channel(REQUEST_CHANNEL);

/** A subscriber that throws is reported by Node and harms no request. */
export function publishRequest(event: () => RequestEvent): void {
  if (requests.hasSubscribers) requests.publish(event());
}
