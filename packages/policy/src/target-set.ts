import type { Target } from "./target.js";

/** Targets, asked whether one of them alone covers every name that another target covers. */
export class TargetSet {
  readonly #targets = new Map<string, Target>();

  add(target: Target): void {
    const at = keyOf(target.covers, target.name);
    if (!this.#targets.has(at)) this.#targets.set(at, target);
  }

  /** In the order in which they came; of two that cover the same names, the first. */
  [Symbol.iterator](): Iterator<Target> {
    return this.#targets.values();
  }

  /** Look-ups grow with the segments of the name, and not with the targets. */
  includes({ covers, name }: Target): boolean {
    if (this.#has("any", "")) return true;
    if (covers === "any") return false;
    if (this.#has(covers, name)) return true;
    let under = covers === "exact" ? parentOf(name) : name;
    if (covers === "exact" && this.#has("one", under)) return true;
    for (; under !== ""; under = parentOf(under)) if (this.#has("many", under)) return true;
    return false;
  }

  #has(covers: Target["covers"], name: string): boolean {
    return this.#targets.has(keyOf(covers, name));
  }
}

function keyOf(covers: Target["covers"], name: string): string {
  return `${covers} ${name}`;
}

/** `a.b` of `a.b.c`; the empty text of a name of one segment. */
function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf(".")));
}
