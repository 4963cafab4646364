import type { Catalog, Engine, KeyEntry, KeyType, MissingPolicy } from "@basil/catalog";
import type { TransitOperation } from "../capabilities.js";
import { neededOperations, servingEngine } from "./class-needs.js";
import { needsMintKeyType } from "./mint-gate.js";

/** What one key of the catalog asks of its backend. */
export interface KeyRequirement {
  readonly key: string;
  readonly backend: string;
  /** The engine that the entry names: a checked backend must declare it. */
  readonly engine: Engine;
  /** The engine that serves the key's class: the kind must have it. */
  readonly servedBy: Engine;
  readonly missing: MissingPolicy;
  /** For a key that a transit engine uses in place: its type, and every operation its class stands for. */
  readonly transit?: { readonly keyType: KeyType; readonly operations: readonly TransitOperation[] };
  /** Set when the key may have to be made and no engine makes keys of its class: sealing keys, signing keys in kv2, pki. */
  readonly unmakeable?: true;
  /** Set when `mintKeyTypes` must list it: the key may have to be made, and its type is gated there. */
  readonly mintKeyType?: KeyType;
}

/** What the deployment demands of a backend beyond its keys: the catalog's `requires`. */
export interface BackendRequirement {
  readonly backend: string;
  readonly capabilities: readonly string[];
}

export interface RequiredCapabilities {
  /** In the order of the catalog. */
  readonly keys: readonly KeyRequirement[];
  /** Backends with a `requires` that is not empty. */
  readonly backends: readonly BackendRequirement[];
}

/** What a catalog asks of its backends. The policy is not read: what a key's class stands for is required whoever may use it. */
export function requiredCapabilities(catalog: Catalog): RequiredCapabilities {
  const backends = [...catalog.backends.values()].filter(({ requires }) => requires.length > 0);
  return {
    keys: [...catalog.keys.values()].map((entry) => keyRequirement(entry, catalog)),
    backends: backends.map(({ name, requires }) => ({ backend: name, capabilities: [...new Set(requires)] })),
  };
}

function keyRequirement(entry: KeyEntry, catalog: Catalog): KeyRequirement {
  const { name, backend, engine, missing, keyType } = entry;
  const required: KeyRequirement = { key: name, backend, engine, servedBy: servingEngine(entry), missing };
  const made = missing === "generate";
  if (required.servedBy !== "transit" || keyType === undefined) {
    const followsRecipe = entry.class === "value" || entry.class === "public";
    return made && !followsRecipe ? { ...required, unmakeable: true } : required;
  }
  const operations = neededOperations(entry);
  const transit = { keyType, operations: made ? [...operations, "createKey" as const] : operations };
  const declared = catalog.backends.get(backend);
  const gated = made && declared !== undefined && needsMintKeyType(declared, keyType);
  return gated ? { ...required, transit, mintKeyType: keyType } : { ...required, transit };
}
