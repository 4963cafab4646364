import { type ChangeBundleOptions, type Changed, changeBundle } from "../change-bundle.js";
import { BundleError } from "../errors.js";
import { requireName } from "../name.js";
import { decodeToken } from "../token.js";
import { makeDepositKey } from "./deposit-key.js";

export interface ContributorInput {
  /** The contributor's Ed25519 public key, 43 characters base64url. */
  readonly publicKey: string;
  /** The public key token when left out. */
  readonly id?: string;
  /** The backend ids the contributor may add or replace, at least one. */
  readonly backends: readonly string[];
}

/** Makes the deposit key unless there is one; the same recipient for as long as the bundle lives. */
export async function ensureDepositKey(path: string, options: ChangeBundleOptions): Promise<Changed<string>> {
  return changeBundle(path, options, (draft) => makeDepositKey(draft));
}

/**
 * Lets a contributor deposit credentials for these backends, replacing what was allowed under the id before. A backend has
 * one contributor at most: the sequences of two cannot be compared.
 * @throws {@link BundleError} `KEY_INVALID`, `BACKEND_TAKEN`, `MALFORMED`, and what changing throws.
 */
export async function allowContributor(
  path: string,
  input: ContributorInput,
  options: ChangeBundleOptions,
): Promise<Changed<{ readonly id: string; readonly recipient: string }>> {
  const { publicKey } = input;
  if (decodeToken(publicKey, 32) === undefined) {
    throw new BundleError("KEY_INVALID", "the contributor's public key is not 43 characters base64url", {
      field: "contributor",
    });
  }
  const id = input.id ?? publicKey;
  requireName("contributor id", id);
  const backends = [...new Set(input.backends)].sort();
  if (backends.length === 0)
    throw new BundleError("MALFORMED", "a contributor needs at least one backend", { field: "backend" });
  for (const backend of backends) requireName("backend id", backend);
  return changeBundle(path, options, (draft) => {
    const others = draft.deposits.contributors.filter((contributor) => contributor.id !== id);
    for (const backend of backends) {
      const holder = others.find((contributor) => contributor.backends.includes(backend));
      if (holder === undefined) continue;
      throw new BundleError(
        "BACKEND_TAKEN",
        `backend "${backend}" is delegated to contributor "${holder.id}" already`,
        {
          backendId: backend,
          contributorId: holder.id,
        },
      );
    }
    draft.deposits.contributors = [...others, { id, publicKey, backends }].sort((a, b) => (a.id < b.id ? -1 : 1));
    draft.changed = true;
    return { id, recipient: makeDepositKey(draft) };
  });
}

/** Takes a contributor off the allow-list. What was promoted stays; the sequences stay used. @throws {@link BundleError} `CONTRIBUTOR_NOT_FOUND`, and what changing throws. */
export async function disallowContributor(
  path: string,
  id: string,
  options: ChangeBundleOptions,
): Promise<Changed<void>> {
  return changeBundle(path, options, (draft) => {
    const rest = draft.deposits.contributors.filter((contributor) => contributor.id !== id);
    if (rest.length === draft.deposits.contributors.length) {
      throw new BundleError("CONTRIBUTOR_NOT_FOUND", `the bundle has no contributor "${id}"`, { contributorId: id });
    }
    draft.deposits.contributors = rest;
    draft.changed = true;
  });
}
