/** Something that has work at times, and does it in portions. */
export interface Flow {
  /** Whether {@link work} has anything to do. */
  readonly ready: boolean;
  /** Works until about `budget` is used. @returns What was used. */
  work(budget: number): number;
}

interface Entry<Item extends Flow> {
  readonly flow: Item;
  /** What the flow may still use before the next one's turn. */
  deficit: number;
}

/**
 * Deficit round robin with precedence for new flows (RFC 8290 §4.2, "FQ-CoDel Scheduler"). A flow that becomes ready is new
 * until it has used its quantum; new flows go first. A flow that is ready all the time, or again at once, waits in the list
 * of old ones. So whoever asks little is served before those that ask much, and those share what is left.
 */
export class FairQueue<Item extends Flow> implements Flow {
  readonly #quantum: number;
  readonly #entries = new Map<Item, Entry<Item>>();
  #new: Entry<Item>[] = [];
  #old: Entry<Item>[] = [];

  /** @param quantum - What a flow uses at most before the next one's turn, in the units of {@link Flow.work}. */
  constructor(quantum: number) {
    this.#quantum = quantum;
  }

  get ready(): boolean {
    return this.#new.length > 0 || this.#old.length > 0;
  }

  /** A flow has work now. */
  add(flow: Item): void {
    if (this.#entries.has(flow)) return;
    const entry = { flow, deficit: this.#quantum };
    this.#entries.set(flow, entry);
    this.#new.push(entry);
  }

  remove(flow: Item): void {
    const entry = this.#entries.get(flow);
    if (!this.#entries.delete(flow)) return;
    this.#new = this.#new.filter((other) => other !== entry);
    this.#old = this.#old.filter((other) => other !== entry);
  }

  /** Lets the next flow work once. */
  work(budget: number): number {
    for (;;) {
      const list = this.#new.length > 0 ? this.#new : this.#old;
      const entry = list[0];
      if (entry === undefined) return 0;
      if (entry.deficit <= 0) {
        entry.deficit += this.#quantum;
        list.shift();
        this.#old.push(entry);
        continue;
      }
      if (!entry.flow.ready) {
        list.shift();
        // It stays for one round as an old flow, so that it gains nothing by being ready again at once.
        if (list === this.#new && this.#old.length > 0) this.#old.push(entry);
        else this.#entries.delete(entry.flow);
        continue;
      }
      const used = entry.flow.work(Math.min(budget, entry.deficit));
      entry.deficit -= used;
      return used;
    }
  }
}
