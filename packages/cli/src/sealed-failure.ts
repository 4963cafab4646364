import type { ClientErrorCode } from "@basil/client";

/** What to do about a sealed file that does not open; undefined for failures of another kind. */
export function sealedFileRemedy(code: ClientErrorCode): string | undefined {
  return REMEDIES[code];
}

const REMEDIES: Readonly<Partial<Record<ClientErrorCode, string>>> = {
  SEALED_HEADER_INVALID: "give the file as 'basil seal' wrote it, whole and unchanged",
  SEALED_RECIPIENT_MISSING: "open it with the age program and one of the identities it was made for",
  SEALED_KEY_UNEXPECTED: "give that key with --key-id if it is the one you mean",
  SEALED_PAYLOAD_INVALID:
    "throw away what was written and take the file from where it is whole; with -o FILE nothing is left behind",
};
