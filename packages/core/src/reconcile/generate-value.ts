import type { Catalog, KeyEntry } from "@basil/catalog";
import type { Backend, Kv2Engine } from "../backend.js";
import { BackendError } from "../errors.js";
import { makeValues, recipePartner, writeValues } from "../recipe/follow-recipe.js";
import type { Maker } from "./generate-key.js";

/** By the catalog's name of the backend. */
type Backends = ReadonlyMap<string, Backend>;

/**
 * Whether what the recipe makes could be stored, by what is known without asking anyone: the value itself, and the other
 * half of a pair.
 *
 * @throws {@link BackendError} `UNSUPPORTED`
 */
export function requireStorable(entry: KeyEntry, catalog: Catalog, backends: Backends): void {
  if (entry.generate === undefined) throw new TypeError(`key ${entry.name} has no recipe`);
  storeOf(entry, backends);
  const partner = recipePartner(catalog, entry);
  if (partner !== undefined) storeOf(partner, backends);
}

/** Follows the recipe of a value or public key, unless something is at its path by now, such as what a pair has put there. */
export function valueMaker(entry: KeyEntry, catalog: Catalog, backends: Backends): Maker {
  return async (context) => {
    const found = await storeOf(entry, backends).probe(entry.path, context);
    if (found.state !== "absent") return undefined;
    const options = { catalog, context, storeOf: (key: KeyEntry) => storeOf(key, backends) };
    const written = await writeValues(await makeValues(entry, options), options);
    return written.find((value) => value.entry === entry)?.resource;
  };
}

function storeOf({ name, class: keyClass, engine, backend }: KeyEntry, backends: Backends): Kv2Engine {
  const kv2 = engine === "kv2" ? backends.get(backend)?.kv2 : undefined;
  if (kv2 !== undefined) return kv2;
  const place = engine === "kv2" ? `backend "${backend}", which keeps no values` : `engine ${engine}`;
  throw new BackendError(
    "UNSUPPORTED",
    `key "${name}" of class ${keyClass} is in ${place}; move it to a backend with the engine kv2`,
    { operation: "put" },
  );
}
