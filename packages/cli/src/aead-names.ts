import type { AeadName } from "@basil/client";
import { InvalidArgumentError } from "commander";

/** The command line's names of the ciphers, and the catalog's. */
const NAMES: ReadonlyMap<string, AeadName> = new Map([
  ["aes256-gcm", "aes-256-gcm"],
  ["chacha20-poly1305", "chacha20-poly1305"],
]);

/** Reads `--algorithm`, in the command line's spelling or the catalog's. */
export function aeadAlgorithm(value: string): AeadName {
  const name = NAMES.get(value) ?? [...NAMES.values()].find((known) => known === value);
  if (name === undefined) throw new InvalidArgumentError(`Allowed: ${[...NAMES.keys()].join(", ")}.`);
  return name;
}

/** The spelling that is printed. */
export function aeadSpelling(algorithm: AeadName): string {
  return [...NAMES].find(([, name]) => name === algorithm)?.[0] ?? algorithm;
}
