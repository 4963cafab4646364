import type { Socket } from "node:net";
import type { UnixIdentity } from "@basil/policy";
import { awaitFirstBytes } from "./first-bytes.js";
import type { HeldBytes } from "./held-bytes.js";
import type { Lane, Protocol } from "./protocol.js";
import type { Reader, ReadSchedule } from "./read-schedule.js";

export interface ConnectionParts {
  readonly protocol: Protocol;
  /** Milliseconds until the first bytes must say which protocol it is. */
  readonly prefaceTimeoutMs: number;
  readonly schedule: ReadSchedule;
  readonly heldBytes: HeldBytes;
}

/** An accepted connection. It reads from its socket only what it has handled, so a busy broker slows its senders down. */
export class Connection implements Reader {
  readonly owner: number;
  readonly #socket: Socket;
  readonly #schedule: ReadSchedule;
  #lane: Lane | undefined;

  constructor(
    socket: Socket,
    identity: UnixIdentity,
    { protocol, prefaceTimeoutMs, schedule, heldBytes }: ConnectionParts,
  ) {
    this.owner = identity.uid;
    this.#socket = socket;
    this.#schedule = schedule;
    awaitFirstBytes(socket, prefaceTimeoutMs, protocol.matches, (bytes) => {
      const ledger = heldBytes.connection(identity.uid);
      const lane = protocol.serve(socket, { identity, heldBytes: ledger, onUnblocked: () => schedule.add(this) });
      this.#lane = lane;
      socket.once("close", () => {
        schedule.remove(this);
        ledger[Symbol.dispose]();
      });
      socket.on("data", (chunk) => this.#received(lane, chunk));
      this.#received(lane, bytes);
    });
  }

  get uid(): number {
    return this.owner;
  }

  /** Requests at work. */
  get working(): number {
    return this.#lane?.working ?? 0;
  }

  get ready(): boolean {
    return this.#lane?.readable ?? false;
  }

  work(budget: number): number {
    const lane = this.#lane;
    if (lane === undefined) return 0;
    const used = lane.read(budget);
    this.#flow(lane);
    return used;
  }

  /** Closes it after its last answer; one that has asked nothing yet at once. */
  drain(): void {
    if (this.#lane === undefined) this.#socket.destroy();
    else this.#lane.drain();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #received(lane: Lane, bytes: Buffer): void {
    lane.push(bytes);
    this.#schedule.add(this);
    this.#flow(lane);
  }

  #flow(lane: Lane): void {
    if (lane.readable || lane.blocked) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }
}
