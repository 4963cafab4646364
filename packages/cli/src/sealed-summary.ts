import type { ByteStreamOptions } from "./byte-streams.js";
import { toJson } from "./command.js";
import type { CommandContext } from "./context.js";

/**
 * What `--json` prints of a sealed or opened file; undefined where there is nothing more to print. With the bytes on
 * standard output it goes to standard error; of bytes that nobody took to the end there is none.
 */
export function sealedSummary(
  key_id: string,
  bytes: number | undefined,
  { outFile, json = false }: ByteStreamOptions & { readonly json?: boolean },
  { terminal }: CommandContext,
): unknown {
  if (bytes === undefined) return undefined;
  const toFile = outFile !== undefined && outFile !== "-";
  const summary = { key_id, bytes, ...(toFile && { out_file: outFile }) };
  if (toFile) return summary;
  if (json) terminal.err(toJson(summary, "line"));
  return undefined;
}
