import type { Engine, KeyClass, KeyEntry } from "@basil/catalog";
import type { TransitOperation } from "../capabilities.js";

interface ClassNeeds {
  /** The engine that serves the class, whichever one the entry names; absent: the one that the entry names. */
  readonly engine?: Engine;
  /** The operations that a transit engine must offer for the key type. */
  readonly transit: readonly TransitOperation[];
}

const NEEDS: Readonly<Record<KeyClass, ClassNeeds>> = {
  asymmetric: { transit: ["sign", "verify", "publicKey"] },
  symmetric: { engine: "transit", transit: ["encrypt", "decrypt"] },
  value: { engine: "kv2", transit: [] },
  public: { engine: "kv2", transit: [] },
  sealing: { engine: "kv2", transit: [] },
};

/** The engine that serves a key. An entry may name another one, which the catalog then has to declare. */
export function servingEngine({ class: keyClass, engine }: Pick<KeyEntry, "class" | "engine">): Engine {
  return NEEDS[keyClass].engine ?? engine;
}

/** The operations that a key's class needs of a transit engine; empty when another engine serves the key. */
export function neededOperations(entry: Pick<KeyEntry, "class" | "engine">): readonly TransitOperation[] {
  return servingEngine(entry) === "transit" ? NEEDS[entry.class].transit : [];
}
