import { BackendError } from "./errors.js";

const BEGIN = "-----BEGIN PUBLIC KEY-----";
const END = "-----END PUBLIC KEY-----";
const LINE = 64;

/** SPKI DER as one PEM block with the label `PUBLIC KEY`, lines of 64 and a newline at the end (RFC 7468 §13). */
export function spkiToPem(spki: Uint8Array): string {
  const text = Buffer.from(spki).toString("base64");
  const lines = text.match(new RegExp(`.{1,${LINE}}`, "gu")) ?? [];
  return [BEGIN, ...lines, END, ""].join("\n");
}

/**
 * The SPKI DER in a PEM text that holds exactly one `PUBLIC KEY` block and white space. What the DER holds is not looked at.
 *
 * @throws {@link BackendError} `PUBLIC_KEY_MALFORMED`
 */
export function pemToSpki(pem: string): Uint8Array {
  const trimmed = pem.trim();
  const body = trimmed.slice(BEGIN.length, -END.length);
  const framed = trimmed.startsWith(BEGIN) && trimmed.endsWith(END) && trimmed.length > BEGIN.length + END.length;
  const text = body.replace(/[ \t\r\n]/gu, "");
  const der = Buffer.from(text, "base64");
  // Buffer skips what is not base64, so only text that comes back unchanged was base64.
  if (!framed || der.length === 0 || der.toString("base64") !== text) {
    throw new BackendError("PUBLIC_KEY_MALFORMED", `not one PEM block "${BEGIN}"`, {});
  }
  return Uint8Array.from(der);
}
