import type { Catalog, KeyEntry } from "@basil/catalog";
import type { Backend, Kv2Engine } from "../backend.js";
import { servingEngine } from "../capability/class-needs.js";
import { asBackendError, BackendError } from "../errors.js";
import { makeValues, type RecipeOptions, recipePartner, writeValues } from "../recipe/follow-recipe.js";
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

/**
 * Follows the recipe of a value or public key, unless something is at its path by now: what a pair has put there, or another
 * agent that started at the same time.
 */
export function valueMaker(entry: KeyEntry, catalog: Catalog, backends: Backends): Maker {
  return async (context) => {
    const found = await storeOf(entry, backends).probe(entry.path, context);
    if (found.state !== "absent") return undefined;
    const options = { catalog, context, storeOf: (key: KeyEntry) => storeOf(key, backends) };
    const made = await makeValues(entry, options);
    try {
      const written = await writeValues(made, { ...options, createOnly: true });
      return written.find((value) => value.entry === entry)?.resource;
    } catch (failure) {
      if (asBackendError(failure).code !== "KEY_EXISTS") throw failure;
      const [first, second] = made;
      // The other one's private key stays, and the certificate that was written is one of ours.
      if (first !== undefined && second !== undefined) await certifyStoredKey(first.entry, options);
      return undefined;
    }
  };
}

/** Never writes a private key where one is, even if it is not seen yet. */
async function certifyStoredKey(certificate: KeyEntry, options: RecipeOptions): Promise<void> {
  const made = await makeValues(certificate, options);
  await writeValues(made, { ...options, createOnly: made.length > 1 });
}

function storeOf(entry: KeyEntry, backends: Backends): Kv2Engine {
  const { name, class: keyClass, backend } = entry;
  const engine = servingEngine(entry);
  const kv2 = engine === "kv2" ? backends.get(backend)?.kv2 : undefined;
  if (kv2 !== undefined) return kv2;
  const place = engine === "kv2" ? `backend "${backend}", which keeps no values` : `engine ${engine}`;
  throw new BackendError(
    "UNSUPPORTED",
    `key "${name}" of class ${keyClass} is in ${place}; move it to a backend with the engine kv2`,
    { operation: "put" },
  );
}
