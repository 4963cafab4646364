import type { CliErrorCode } from "./cli-error.js";

/** What a script may rely on. 0 and 1 keep the meanings they had in Basil 0.7.1; 3 and above tell failures apart. */
export const EXIT = {
  done: 0,
  no: 1,
  usage: 2,
  unreachable: 3,
  denied: 4,
  deadline: 5,
  unavailable: 6,
  tooLarge: 7,
} as const;

const BY_CODE = {
  USAGE: EXIT.usage,
  FILE: EXIT.no,
  DOCUMENT_REFUSED: EXIT.no,
  UNSUPPORTED: EXIT.no,
  PACKAGE_MISSING: EXIT.no,
  PLUGIN_REFUSED: EXIT.no,
  UNREACHABLE: EXIT.unreachable,
  DENIED: EXIT.denied,
  DEADLINE: EXIT.deadline,
  UNAVAILABLE: EXIT.unavailable,
  TOO_LARGE: EXIT.tooLarge,
  FAILED: EXIT.no,
} satisfies Record<CliErrorCode, number>;

export function exitCodeOf(code: CliErrorCode): number {
  return BY_CODE[code];
}
