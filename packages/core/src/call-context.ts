/**
 * What travels with every call from the socket to the backend.
 *
 * A callee stops when `signal` aborts and never starts work after `deadline`: a call whose signal has aborted already is
 * refused with `CANCELLED`, one past its deadline with `DEADLINE_EXCEEDED`, even where an answer is at hand.
 */
export interface CallContext {
  /** Aborted when the caller goes away or the deadline passes. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch; absent when the caller set none. */
  readonly deadline?: number;
  /** Names this request in the audit log and the operator's log. */
  readonly requestId: string;
}
