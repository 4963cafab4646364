import type { KeyEntry } from "@basil/catalog";
import type { KeyRef } from "./backend.js";

/**
 * A catalog entry as a backend is asked for it.
 *
 * @throws TypeError for an entry without a key type: a value is reached by its path.
 */
export function keyRef({ name, path, keyType, engine }: KeyEntry): KeyRef {
  if (keyType === undefined) throw new TypeError(`key ${name} has no key type, so it is no key of a backend`);
  return engine === "pki" ? { name, path, keyType, engine } : { name, path, keyType };
}
