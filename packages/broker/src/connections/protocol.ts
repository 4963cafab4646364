import type { Socket } from "node:net";
import type { UnixIdentity } from "@basil/policy";
import type { ConnectionBytes } from "./held-bytes.js";

/** What reads and answers one connection: bytes in, work by portions. */
export interface Lane {
  /** Whether {@link read} has work. */
  readonly readable: boolean;
  /** Whether the peer does not read its answers: nothing more is read from it then. */
  readonly blocked: boolean;
  /** Requests that arrived completely and are not answered. */
  readonly working: number;
  /** Takes bytes of the connection; their memory belongs to the lane. */
  push(bytes: Buffer): void;
  /** Handles what was pushed, until about `budget` is used. @returns What was used. */
  read(budget: number): number;
  /** Accepts no new request, and closes the connection after the last answer. */
  drain(): void;
}

export interface LaneParts {
  readonly identity: UnixIdentity;
  readonly heldBytes: ConnectionBytes;
  /** Called when the peer has read enough after {@link Lane.blocked} was true. */
  readonly onUnblocked: () => void;
}

/** A protocol that connections may speak. */
export interface Protocol {
  /** Whether the first bytes of a connection are the beginning of this protocol; undefined while more are needed. */
  matches(bytes: Buffer): boolean | undefined;
  serve(socket: Socket, parts: LaneParts): Lane;
}
