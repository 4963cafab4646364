import type { Catalog, KeyEntry } from "@basil/catalog";
import type { Kv2Engine, Provenance } from "../backend.js";
import type { CallContext } from "../call-context.js";
import { asBackendError, BackendError } from "../errors.js";
import { ageIdentity } from "./age-identity.js";
import { randomText } from "./random-text.js";
import { selfSignedCertificate } from "./self-signed-certificate.js";
import { decodeTlsKey, encodeTlsKey, makeTlsKey } from "./tls-key.js";

/** Where the values are. `storeOf` gives the place of an entry, or throws when there is none. */
export interface RecipeOptions {
  readonly catalog: Catalog;
  readonly storeOf: (entry: KeyEntry) => Kv2Engine;
  readonly context: CallContext;
}

export interface WriteOptions extends RecipeOptions {
  /** The last value, of a TLS pair the private key, is written only where none is. Default: false. */
  readonly createOnly?: boolean;
}

/** A value that was made and is to be written. Whoever asked for it writes it by {@link writeValues}, or zeroes it. */
export interface MadeValue {
  readonly entry: KeyEntry;
  /** The bytes to store; text of a recipe as UTF-8. */
  readonly value: Uint8Array;
}

export interface WrittenValue extends Provenance {
  readonly entry: KeyEntry;
  /** The version that the store gave it. */
  readonly version: number;
}

/** Milliseconds that the second value of a pair gets, whether or not somebody still waits for it. */
const SECOND_WRITE_MS = 10_000;

/** The key that the recipe of `entry` may write besides its own: the other half of a TLS pair. */
export function recipePartner(catalog: Catalog, { name, generate }: KeyEntry): KeyEntry | undefined {
  if (generate?.format === "self-signed-tls-pair-of") return catalog.keys.get(generate.pairOf);
  if (generate?.format !== "self-signed-tls") return undefined;
  return [...catalog.keys.values()].find((key) => {
    return key.generate?.format === "self-signed-tls-pair-of" && key.generate.pairOf === name;
  });
}

/**
 * What the recipe of `entry` makes, in the order in which it is to be written. Nothing is written here.
 *
 * `ascii-printable`, `base64`, `hex`, `age-x25519`: one value. `self-signed-tls`: a certificate, of the private key of its
 * pair where that is stored, else of a fresh one, which is the second value if there is a pair. `self-signed-tls-pair-of`:
 * a fresh private key and a certificate of it for the other half.
 *
 * @throws {@link BackendError} as `Kv2Engine.get` and `.probe`; `KEY_UNUSABLE` when what is stored in place of the private
 *   key is none.
 */
export async function makeValues(entry: KeyEntry, options: RecipeOptions): Promise<MadeValue[]> {
  const recipe = entry.generate;
  switch (recipe?.format) {
    case "ascii-printable":
    case "base64":
    case "hex":
      return [{ entry, value: randomText(recipe) }];
    case "age-x25519":
      return [{ entry, value: await ageIdentity() }];
    case "self-signed-tls": {
      const partner = recipePartner(options.catalog, entry);
      const stored = partner && (await storedKey(partner, options));
      const key = stored ?? (await makeTlsKey());
      const certificate = { entry, value: await selfSignedCertificate(key, recipe) };
      if (partner === undefined || stored !== undefined) return [certificate];
      return [certificate, { entry: partner, value: encodeTlsKey(key) }];
    }
    case "self-signed-tls-pair-of": {
      const certified = recipePartner(options.catalog, entry);
      if (certified?.generate?.format !== "self-signed-tls") {
        throw new TypeError(`key ${entry.name} is the pair of ${recipe.pairOf}, which has no self-signed-tls recipe`);
      }
      const key = await makeTlsKey();
      // The certificate first: without its key a next run makes both anew, while a key beside an old certificate looks whole.
      return [
        { entry: certified, value: await selfSignedCertificate(key, certified.generate) },
        { entry, value: encodeTlsKey(key) },
      ];
    }
    case undefined:
      throw new TypeError(`key ${entry.name} has no recipe`);
  }
}

/**
 * Writes what was made, in order, and zeroes it once it is written. Once the first is written the others are too, even if
 * the caller goes away. A value whose write fails is left as it is: a store that was given up on may be reading it still.
 *
 * @throws {@link BackendError} as `Kv2Engine.put`; `KEY_EXISTS` when `createOnly` finds a value, and the others were written.
 */
export async function writeValues(made: readonly MadeValue[], options: WriteOptions): Promise<WrittenValue[]> {
  const written: WrittenValue[] = [];
  for (const [n, { entry, value }] of made.entries()) {
    const context = n === 0 ? options.context : detached(options.context);
    const createOnly = options.createOnly === true && n === made.length - 1;
    try {
      written.push({ ...(await options.storeOf(entry).put(entry.path, value, context, { createOnly })), entry });
    } catch (failure) {
      forgetValues(made.slice(isRefused(failure) ? n : n + 1));
      throw failure;
    }
    value.fill(0);
  }
  return written;
}

/** Zeroes values that were made and are not written after all. */
export function forgetValues(made: readonly MadeValue[]): void {
  for (const { value } of made) value.fill(0);
}

async function storedKey(partner: KeyEntry, { storeOf, context }: RecipeOptions) {
  const store = storeOf(partner);
  if ((await store.probe(partner.path, context)).state !== "present") return undefined;
  const { value } = await store.get(partner.path, context);
  const key = decodeTlsKey(value);
  value.fill(0);
  if (key !== undefined) return key;
  const reason = "it holds no unencrypted private key in PEM";
  throw new BackendError("KEY_UNUSABLE", `key "${partner.name}" is half of a pair, and ${reason}`, {
    key: partner.name,
    reason,
  });
}

/** The store has answered, so it reads the value no more. */
function isRefused(failure: unknown): boolean {
  return asBackendError(failure).code === "KEY_EXISTS";
}

function detached({ requestId }: CallContext): CallContext {
  return { signal: AbortSignal.timeout(SECOND_WRITE_MS), deadline: Date.now() + SECOND_WRITE_MS, requestId };
}
