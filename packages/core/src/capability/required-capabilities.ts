import type { Catalog, Engine, KeyEntry, KeyType, MissingPolicy } from "@basil/catalog";
import type { TransitOperation } from "../capabilities.js";
import { needsMintKeyType } from "./mint-gate.js";

/** What one key of the catalog asks of its backend. */
export interface KeyRequirement {
  readonly key: string;
  readonly backend: string;
  readonly engine: Engine;
  readonly missing: MissingPolicy;
  /** For a key that a transit engine uses in place: its type, and every operation its class stands for. */
  readonly transit?: { readonly keyType: KeyType; readonly operations: readonly TransitOperation[] };
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
  const required: KeyRequirement = { key: name, backend, engine, missing };
  const operations = operationsOf(entry);
  if (engine !== "transit" || keyType === undefined || operations === undefined) return required;
  const made = missing === "generate";
  const transit = { keyType, operations: made ? [...operations, "createKey" as const] : operations };
  const declared = catalog.backends.get(backend);
  const gated = made && declared !== undefined && needsMintKeyType(declared, keyType);
  return gated ? { ...required, transit, mintKeyType: keyType } : { ...required, transit };
}

function operationsOf(entry: KeyEntry): readonly TransitOperation[] | undefined {
  if (entry.class === "asymmetric") return ["sign", "verify", "publicKey"];
  return entry.class === "symmetric" ? ["encrypt", "decrypt"] : undefined;
}
