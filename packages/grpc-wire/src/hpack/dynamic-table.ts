/** What an entry counts beside its name and value (RFC 7541 §4.1). */
const ENTRY_OVERHEAD = 32;

/** The size of a field in a table or a list: the bytes of name and value, and 32 (RFC 7541 §4.1, RFC 9113 §6.5.2). */
export function fieldSize(name: string, value: string): number {
  return name.length + value.length + ENTRY_OVERHEAD;
}

/** The decoder's dynamic table (RFC 7541 §2.3.2): the newest entry has index 0, the oldest is evicted first. */
export class DynamicTable {
  /** Names and values in turn, the oldest entry first. */
  readonly #fields: string[] = [];
  #size = 0;
  #maxSize: number;

  /** @param maxSize - Bytes, counted as {@link fieldSize} does. */
  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  get length(): number {
    return this.#fields.length / 2;
  }

  get size(): number {
    return this.#size;
  }

  name(index: number): string | undefined {
    return this.#fields[this.#fields.length - 2 - 2 * index];
  }

  value(index: number): string | undefined {
    return this.#fields[this.#fields.length - 1 - 2 * index];
  }

  /** An entry larger than the table empties it and is not added (RFC 7541 §4.4). */
  add(name: string, value: string): void {
    const size = fieldSize(name, value);
    this.#evict(this.#maxSize - size);
    if (size > this.#maxSize) return;
    this.#fields.push(name, value);
    this.#size += size;
  }

  resize(maxSize: number): void {
    this.#maxSize = maxSize;
    this.#evict(maxSize);
  }

  #evict(maxSize: number): void {
    let evicted = 0;
    while (this.#size > maxSize && evicted < this.#fields.length) {
      this.#size -= fieldSize(this.#fields[evicted] as string, this.#fields[evicted + 1] as string);
      evicted += 2;
    }
    if (evicted > 0) this.#fields.splice(0, evicted);
  }
}
