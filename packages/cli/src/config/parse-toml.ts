import type { CliError } from "../cli-error.js";

/**
 * The document of a TOML file; a byte order mark and CR LF are taken. Integers come as bigint, so that 1.0 is not taken
 * for 1.
 *
 * @param refused - What is thrown, given one line that says where and what.
 */
export async function parseToml(
  bytes: Uint8Array,
  refused: (problems: readonly string[], cause: unknown) => CliError,
): Promise<Record<string, unknown>> {
  const { parse, TomlError } = await import("smol-toml");
  try {
    return parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes), { integersAsBigInt: true });
  } catch (error) {
    if (!(error instanceof TomlError)) throw refused(["it is not UTF-8 text"], error);
    const [what] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
    throw refused([`line ${error.line}, column ${error.column}: ${what}`], error);
  }
}
