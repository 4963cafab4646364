import type { Target } from "./target.js";

/** Which names a target covers, answered by one look-up however many names there are. */
export class KeyCoverage {
  readonly #all: readonly string[];
  readonly #exact = new Map<string, readonly string[]>();
  readonly #one = new Map<string, string[]>();
  readonly #many = new Map<string, string[]>();

  constructor(names: Iterable<string>) {
    this.#all = [...names];
    for (const name of this.#all) {
      this.#exact.set(name, [name]);
      let dot = name.lastIndexOf(".");
      if (dot > 0) addTo(this.#one, name.slice(0, dot), name);
      for (; dot > 0; dot = name.lastIndexOf(".", dot - 1)) addTo(this.#many, name.slice(0, dot), name);
    }
  }

  /** The names the target covers, in the order given. */
  covered({ covers, name }: Target): readonly string[] {
    if (covers === "any") return this.#all;
    return (covers === "exact" ? this.#exact : covers === "one" ? this.#one : this.#many).get(name) ?? [];
  }
}

function addTo(map: Map<string, string[]>, prefix: string, name: string): void {
  const names = map.get(prefix);
  if (names === undefined) map.set(prefix, [name]);
  else names.push(name);
}
