import type { GrpcStatus } from "./grpc-status.js";

/**
 * One request with its message, and the way to answer it. Every answer after the first end is ignored, as is every answer
 * to a call that was cancelled.
 */
export interface GrpcCall {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** The serialized message of the request. Its memory belongs to the handler, which may zero it. */
  readonly message: Uint8Array;
  /** Milliseconds the caller waits (`grpc-timeout`), counted from the arrival of the header; the handler keeps the time. */
  readonly timeoutMs: number | undefined;
  /** Whether the caller reset the stream or closed the connection. */
  readonly cancelled: boolean;
  /** Called once, when {@link cancelled} becomes true before the answer has ended. */
  onCancel: (() => void) | undefined;
  /** The first value of a field of the request's metadata, as it was sent. @param name - In lower case. */
  metadata(name: string): string | undefined;
  /** Answers a unary call with a message and status 0. The bytes belong to the connection, which zeroes them once they are sent. */
  respond(message: Uint8Array): void;
  /** Ends the call with a status: of a call that has answered nothing yet, or after messages of a stream. */
  end(status: GrpcStatus): void;
  /** Sends the response header of a stream that has no message yet. */
  start(): void;
  /** Sends one message of a stream. The bytes belong to the connection. @returns False where the caller should wait for {@link drained}. */
  write(message: Uint8Array): boolean;
  /** Settles when the peer has read what was written, or the call is over. */
  drained(): Promise<void>;
}

/** Answers the calls of a method. What it throws ends the call with INTERNAL and goes to `onFault`. */
export type GrpcHandler = (call: GrpcCall) => void;

/** A stream as the one sees it who accounts for memory. */
export interface HeldStream {
  readonly path: string;
  /** Bytes of its unfinished request or of its unread answer. */
  readonly heldBytes: number;
  /** Whether its request has not arrived completely. */
  readonly receiving: boolean;
  /** Ends it with a status and frees what it holds. An answer that has begun is reset with CANCEL instead. */
  refuse(status: GrpcStatus): void;
}

/** Accounts for what the streams of a connection hold, and decides which may open. */
export interface StreamLedger {
  /** @returns A status to refuse the stream with, before anything is read of it. */
  opened(stream: HeldStream): GrpcStatus | undefined;
  /** `heldBytes` changed by so many bytes. It may refuse this stream or another. */
  held(stream: HeldStream, bytes: number): void;
  /** The stream holds nothing any more. Called once for each stream that {@link opened} admitted. */
  closed(stream: HeldStream): void;
}
