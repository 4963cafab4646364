import type { KmsKey } from "./key.js";

/** A name for a key; it can be moved to another. */
export interface Alias {
  /** `alias/…` */
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  readonly visibleAt: number;
  updatedAt: number;
  targetId: string;
  /** Where the alias pointed before its last move, and until when callers may still see that. */
  previous: { readonly targetId: string; readonly until: number } | undefined;
}

/** Keys and aliases of the account: tables and what follows from time alone. */
export class KeyStore {
  readonly keys = new Map<string, KmsKey>();
  readonly aliases = new Map<string, Alias>();
  readonly #byMaterial = new Map<string, KmsKey>();
  readonly #aliasesOf = new Map<string, Set<string>>();
  #nextDeletion = Number.POSITIVE_INFINITY;

  add(key: KmsKey): void {
    this.keys.set(key.id, key);
    this.#byMaterial.set(key.materialId, key);
    if (key.deleteAt !== undefined) this.scheduleDeletion(key.deleteAt);
  }

  byMaterial(materialId: string): KmsKey | undefined {
    return this.#byMaterial.get(materialId);
  }

  addAlias(alias: Alias): void {
    this.aliases.set(alias.name, alias);
    this.#aliasSet(alias.targetId).add(alias.name);
  }

  removeAlias(alias: Alias): void {
    this.aliases.delete(alias.name);
    this.#aliasSet(alias.targetId).delete(alias.name);
  }

  moveAlias(alias: Alias, targetId: string): void {
    this.#aliasSet(alias.targetId).delete(alias.name);
    alias.targetId = targetId;
    this.#aliasSet(targetId).add(alias.name);
  }

  /** Names of the aliases that point at a key. */
  aliasesOf(keyId: string): readonly string[] {
    return [...(this.#aliasesOf.get(keyId) ?? [])];
  }

  #aliasSet(keyId: string): Set<string> {
    let set = this.#aliasesOf.get(keyId);
    if (set === undefined) {
      set = new Set();
      this.#aliasesOf.set(keyId, set);
    }
    return set;
  }

  /** Tells {@link sweep} that a key is due at `time`. */
  scheduleDeletion(time: number): void {
    this.#nextDeletion = Math.min(this.#nextDeletion, time);
  }

  /** Removes keys whose waiting period is over, their aliases with them. */
  sweep(now: number): void {
    if (now < this.#nextDeletion) return;
    this.#nextDeletion = Number.POSITIVE_INFINITY;
    for (const key of [...this.keys.values()]) {
      if (key.deleteAt === undefined) continue;
      if (key.deleteAt > now) {
        this.scheduleDeletion(key.deleteAt);
        continue;
      }
      this.keys.delete(key.id);
      this.#byMaterial.delete(key.materialId);
      for (const name of this.aliasesOf(key.id)) this.aliases.delete(name);
      this.#aliasesOf.delete(key.id);
    }
  }
}
