import { BackendError, KEY_TYPES, type KeyType, type Provenance } from "@basil/core";

const MAX_TEXT = 4096;

interface ByteLengths {
  readonly min?: number;
  readonly max: number;
}

/** Reads the members of what a backend answered, each once, and copies bytes: what is checked is what is passed on. */
export class Answer {
  /** Backend, operation and key, for whoever reads the log. */
  readonly #where: string;
  readonly #members: Readonly<Record<string, unknown>>;

  /** @throws {@link BackendError} `PROTOCOL` for what is no object. */
  constructor(where: string, value: unknown) {
    this.#where = where;
    if (typeof value !== "object" || value === null)
      throw this.wrong(`answered with ${kindOf(value)}, expected an object`);
    this.#members = value as Readonly<Record<string, unknown>>;
  }

  wrong(what: string): BackendError<"PROTOCOL"> {
    return new BackendError("PROTOCOL", `${this.#where} ${what}`, {});
  }

  raw(name: string): unknown {
    return this.#members[name];
  }

  object(name: string): Answer {
    return new Answer(`${this.#where}: ${name}`, this.#members[name]);
  }

  bytes(name: string, range: ByteLengths): Uint8Array {
    return this.#copy(name, this.#members[name], range);
  }

  /** As {@link bytes}, of what the backend gave away: its own are zeroed. */
  handedOver(name: string, range: ByteLengths): Uint8Array {
    const value = this.#members[name];
    const bytes = this.#copy(name, value, range);
    Uint8Array.prototype.fill.call(value, 0);
    return bytes;
  }

  wholeNumber(name: string, min: number, max = 0xffff_ffff): number {
    const value = this.#members[name];
    if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
    const found = typeof value === "number" ? String(value) : kindOf(value);
    throw this.wrong(`gave ${found} as ${name}, expected a whole number from ${min} to ${max}`);
  }

  flag(name: string): boolean {
    const value = this.#members[name];
    if (typeof value === "boolean") return value;
    throw this.wrong(`gave ${kindOf(value)} as ${name}, expected true or false`);
  }

  text(name: string): string {
    const value = this.#members[name];
    if (typeof value !== "string") throw this.wrong(`gave ${kindOf(value)} as ${name}, expected a text`);
    if (value.length > 0 && value.length <= MAX_TEXT) return value;
    throw this.wrong(`gave a text of ${value.length} characters as ${name}, expected 1 to ${MAX_TEXT}`);
  }

  optionalText(name: string): string | undefined {
    return this.#members[name] === undefined ? undefined : this.text(name);
  }

  keyType(name: string): KeyType {
    const value = this.#members[name];
    if ((KEY_TYPES as readonly unknown[]).includes(value)) return value as KeyType;
    throw this.wrong(`gave ${kindOf(value)} as ${name}, expected a key type`);
  }

  provenance(): Provenance {
    const backendRequestId = this.optionalText("backendRequestId");
    return { resource: this.text("resource"), ...(backendRequestId !== undefined && { backendRequestId }) };
  }

  #copy(name: string, value: unknown, { min = 0, max }: ByteLengths): Uint8Array {
    if (!(value instanceof Uint8Array)) throw this.wrong(`gave ${kindOf(value)} as ${name}, expected a Uint8Array`);
    // A view of memory that others can write, or of a subclass, becomes plain bytes of our own.
    const bytes = new Uint8Array(value);
    if (bytes.length >= min && bytes.length <= max) return bytes;
    const expected = min === max ? `${min}` : `${min} to ${max}`;
    throw this.wrong(`gave ${bytes.length} bytes of ${name}, expected ${expected}`);
  }
}

function kindOf(value: unknown): string {
  return value === null ? "null" : typeof value === "object" ? "an object" : typeof value;
}
