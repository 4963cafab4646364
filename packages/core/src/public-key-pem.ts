import { BackendError } from "./errors.js";
import { armor, armorLabel, dearmor } from "./text-armor.js";

const PUBLIC_KEY = armorLabel("PUBLIC KEY");
const LINE = 64;

/** SPKI DER as one PEM block with the label `PUBLIC KEY`, lines of 64 and a newline at the end (RFC 7468 §13). */
export function spkiToPem(spki: Uint8Array): string {
  return armor(spki, PUBLIC_KEY, LINE);
}

/**
 * The SPKI DER in a PEM text that holds exactly one `PUBLIC KEY` block and white space. What the DER holds is not looked at.
 *
 * @throws {@link BackendError} `PUBLIC_KEY_MALFORMED`
 */
export function pemToSpki(pem: string): Uint8Array {
  const der = dearmor(pem, PUBLIC_KEY);
  if (der !== undefined) return der;
  throw new BackendError("PUBLIC_KEY_MALFORMED", `not one PEM block "${PUBLIC_KEY.begin}"`, {});
}
