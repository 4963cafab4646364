import { type Event, EventKind, EventSchema } from "@basil/proto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { BrokerError } from "../errors.js";
import type { EndlessStream } from "../request/handler.js";

/** Events a subscriber may be behind before its stream ends in `DATA_LOSS`. */
export const MAX_BEHIND = 1024;

type Detail = NonNullable<MessageInitShape<typeof EventSchema>["detail"]>;

const KIND_OF_DETAIL = {
  keyRotated: EventKind.KEY_ROTATED,
  bundleChanged: EventKind.BUNDLE_CHANGED,
  revoked: EventKind.REVOKED,
} as const;

/** Hands every event to every subscriber. Nobody waits for a slow one. */
export class EventHub {
  readonly #subscriptions = new Set<Subscription>();
  #closed = false;

  publish(detail: Detail & { case: keyof typeof KIND_OF_DETAIL }): void {
    const event = create(EventSchema, {
      kind: KIND_OF_DETAIL[detail.case],
      at: timestampFromDate(new Date()),
      detail,
    });
    for (const subscription of this.#subscriptions) subscription.push(event);
  }

  /**
   * The events from now on, of those `wanted`; it ends when the hub closes.
   *
   * @throws {@link BrokerError} `DATA_LOSS` once more than 1,024 events wait to be read.
   */
  subscribe(wanted: (event: Event) => boolean): EndlessStream<Event> {
    const subscription = new Subscription(wanted, () => this.#subscriptions.delete(subscription));
    if (this.#closed) subscription.end();
    else this.#subscriptions.add(subscription);
    return subscription;
  }

  /** Ends every stream. */
  close(): void {
    this.#closed = true;
    for (const subscription of [...this.#subscriptions]) subscription.end();
  }
}

class Subscription implements EndlessStream<Event> {
  readonly #wanted: (event: Event) => boolean;
  readonly #forget: () => void;
  readonly #waiting: Event[] = [];
  #lost = false;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(wanted: (event: Event) => boolean, forget: () => void) {
    this.#wanted = wanted;
    this.#forget = forget;
  }

  push(event: Event): void {
    if (this.#ended || this.#lost || !this.#wanted(event)) return;
    if (this.#waiting.length < MAX_BEHIND) this.#waiting.push(event);
    else this.#lost = true;
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#forget();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Event> {
    try {
      for (;;) {
        const event = this.#waiting.shift();
        if (event !== undefined) yield event;
        else if (this.#lost)
          throw new BrokerError("DATA_LOSS", "events were lost; read the state again", { op: "watch" });
        else if (this.#ended) return;
        else await this.#more();
      }
    } finally {
      this.end();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
