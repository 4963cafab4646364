import { type ChangeBundleOptions, type Changed, changeBundle } from "./change-bundle.js";
import { type CredentialInput, encodeCredential } from "./credential.js";
import { BundleError } from "./errors.js";

/** Adds a credential or replaces the one of the same id. @throws {@link BundleError} `CREDENTIAL_INVALID`, and what changing throws. */
export async function setBackend(
  path: string,
  input: CredentialInput,
  options: ChangeBundleOptions,
): Promise<Changed<"added" | "replaced">> {
  // Before anything is opened: a bad credential is told without a secret.
  const backend = encodeCredential(input);
  return changeBundle(path, options, (draft) => {
    const before = draft.backends.get(backend.id);
    before?.json.fill(0);
    draft.backends.set(backend.id, backend);
    draft.changed = true;
    return before === undefined ? "added" : "replaced";
  });
}

/** Removes a credential. @throws {@link BundleError} `BACKEND_NOT_FOUND`, and what changing throws. */
export async function removeBackend(
  path: string,
  backendId: string,
  options: ChangeBundleOptions,
): Promise<Changed<void>> {
  return changeBundle(path, options, (draft) => {
    const before = draft.backends.get(backendId);
    if (before === undefined) {
      throw new BundleError("BACKEND_NOT_FOUND", `the bundle has no backend "${backendId}"`, { backendId });
    }
    before.json.fill(0);
    draft.backends.delete(backendId);
    draft.changed = true;
  });
}
