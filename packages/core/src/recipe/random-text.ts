import { randomBytes, randomInt } from "node:crypto";

const FIRST_PRINTABLE = 0x21;
const PRINTABLE_CHARACTERS = 94;

export interface RandomTextRecipe {
  readonly format: "ascii-printable" | "base64" | "hex";
  readonly bytes: number;
}

/**
 * `ascii-printable`: that many characters from `!` to `~`, each as likely as any other. `base64` with padding, or
 * lowercase `hex`: the text of that many random bytes.
 */
export function randomText({ format, bytes }: RandomTextRecipe): Uint8Array {
  if (format === "ascii-printable") {
    return Uint8Array.from({ length: bytes }, () => FIRST_PRINTABLE + randomInt(PRINTABLE_CHARACTERS));
  }
  const random = randomBytes(bytes);
  const text = new TextEncoder().encode(random.toString(format));
  random.fill(0);
  return text;
}
