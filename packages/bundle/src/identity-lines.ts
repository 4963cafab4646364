import { BundleError } from "./errors.js";

export interface IdentityLine {
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

const BEGINNINGS = ["AGE-SECRET-KEY-", "AGE-PLUGIN-", "-----BEGIN"] as const;

/**
 * The identities of an age identity file: UTF-8 text, one a line, with empty lines and lines of `#`; or one PEM block, of
 * which the first line is returned.
 *
 * @throws {@link BundleError} `KEY_INVALID`, naming the line and the encoding. No message holds text of the file.
 */
export function identityLines(file: Uint8Array): IdentityLine[] {
  const encoding = encodingOf(file);
  if (encoding !== "UTF-8") {
    const remedy = "save the file as UTF-8 text without a byte order mark";
    throw invalid(`line 1 of the age identity file is encoded as ${encoding}, not as UTF-8 text: ${remedy}`);
  }
  const identities: IdentityLine[] = [];
  for (const [index, line] of new TextDecoder().decode(file).split("\n").entries()) {
    const text = line.trim();
    if (text === "" || text.startsWith("#")) continue;
    if (!BEGINNINGS.some((beginning) => text.startsWith(beginning))) {
      throw invalid(
        `line ${index + 1} of the age identity file (${encoding} text) begins with none of ${BEGINNINGS.join(", ")}${hintFor(text)}`,
      );
    }
    identities.push({ text, line: index + 1 });
    if (text.startsWith("-----BEGIN")) break;
  }
  if (identities.length === 0) throw invalid("the age identity file holds no identity");
  return identities;
}

function hintFor(text: string): string {
  if (/^age-(?:secret-key|plugin)-/i.test(text)) return ": write the identity in upper case";
  if (/AGE-(?:SECRET-KEY|PLUGIN)-/.test(text)) return ": remove what stands before the identity";
  return "";
}

function encodingOf(file: Uint8Array): string {
  const [first, second, third] = file;
  if (first === 0xff && second === 0xfe) return "UTF-16LE";
  if (first === 0xfe && second === 0xff) return "UTF-16BE";
  if (first === 0xef && second === 0xbb && third === 0xbf) return "UTF-8 with a byte order mark";
  if (second === 0 && first !== 0 && first !== undefined) return "UTF-16LE";
  if (first === 0 && second !== 0 && second !== undefined) return "UTF-16BE";
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(file);
  } catch {
    return "an unknown encoding";
  }
  return file.includes(0) ? "binary data" : "UTF-8";
}

function invalid(problem: string): BundleError<"KEY_INVALID"> {
  return new BundleError("KEY_INVALID", problem, { field: "identity" });
}
