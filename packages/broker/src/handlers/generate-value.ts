import { randomBytes, randomInt } from "node:crypto";
import type { GenerateRecipe } from "@basil/catalog";

const FIRST_PRINTABLE = 0x21;
const PRINTABLE_CHARACTERS = 94;

/**
 * A fresh value by its recipe: `ascii-printable`, that many characters from `!` to `~`, each as likely as any other;
 * `base64` with padding or lowercase `hex`, the text of that many random bytes. Undefined for the other formats.
 */
export function generateValue(recipe: GenerateRecipe): Uint8Array | undefined {
  if (recipe.format === "ascii-printable") {
    return Uint8Array.from({ length: recipe.bytes }, () => FIRST_PRINTABLE + randomInt(PRINTABLE_CHARACTERS));
  }
  if (recipe.format !== "base64" && recipe.format !== "hex") return undefined;
  const bytes = randomBytes(recipe.bytes);
  const value = new TextEncoder().encode(bytes.toString(recipe.format));
  bytes.fill(0);
  return value;
}
