import { type Command, Option } from "commander";
import { hexBytes } from "./option-values.js";

export interface AadOptions {
  readonly aad?: string;
  readonly aadHex?: Uint8Array;
}

/** Declares the two spellings of additional data. */
export function declareAad(command: Command): void {
  command
    .addOption(new Option("--aad <text>", "text the data is bound to; opening needs the same").conflicts("aadHex"))
    .option("--aad-hex <hex>", "the same as bytes; absent and empty are not the same", hexBytes);
}

export function aadOf({ aad, aadHex }: AadOptions): Uint8Array | undefined {
  return aad === undefined ? aadHex : new TextEncoder().encode(aad);
}
