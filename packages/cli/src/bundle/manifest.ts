import { type BackendSpec, BundleError, backendSpecFromFields, type SlotSpec, slotSpecFromFields } from "@basil/bundle";
import { CliError } from "../cli-error.js";
import { parseToml } from "../config/parse-toml.js";

export interface Manifest {
  readonly slots: readonly SlotSpec[];
  readonly backends: readonly BackendSpec[];
}

/**
 * Reads the TOML of `bundle create --from FILE`: `[[slot]]` and `[[backend]]` tables with `type` and the fields of the specs.
 * @throws {@link CliError} `DOCUMENT_REFUSED`, {@link BundleError} `SPEC_SYNTAX`.
 */
export async function parseManifest(path: string, bytes: Uint8Array): Promise<Manifest> {
  const document = await parseToml(bytes, (problems, cause) => refused(path, problems, cause));
  const unknown = Object.keys(document).filter((key) => key !== "slot" && key !== "backend");
  if (unknown.length > 0) {
    throw refused(
      path,
      unknown.map((key) => `"${key}" is unknown; [[slot]] and [[backend]] tables are allowed`),
    );
  }
  return {
    slots: tables(path, "slot", document.slot).map(([name, fields]) => slotSpecFromFields(name, fields)),
    backends: tables(path, "backend", document.backend).map(([name, fields]) => backendSpecFromFields(name, fields)),
  };
}

function tables(path: string, kind: string, value: unknown): [string, Map<string, string>][] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw refused(path, [`${kind} is not an array of tables: write [[${kind}]]`]);
  return value.map((table: unknown, index) => {
    const name = `${path}: ${kind} ${index + 1}`;
    const fields = new Map<string, string>();
    for (const [key, field] of Object.entries(table as Record<string, unknown>)) {
      if (
        typeof field !== "string" &&
        typeof field !== "boolean" &&
        typeof field !== "bigint" &&
        !Number.isInteger(field)
      ) {
        throw refused(path, [`${kind} ${index + 1}: ${key} is neither text, an integer nor true or false`]);
      }
      const text = String(field);
      if (text.trim() === "") {
        throw new BundleError("SPEC_SYNTAX", `${name}: ${key} has no value`, { flag: name });
      }
      fields.set(key, text);
    }
    return [name, fields];
  });
}

function refused(path: string, problems: readonly string[], cause?: unknown): CliError<"DOCUMENT_REFUSED"> {
  return new CliError(
    "DOCUMENT_REFUSED",
    `the manifest ${path} is refused`,
    { path, problems },
    {
      remedy: "correct the places named above",
      ...(cause !== undefined && { cause }),
    },
  );
}
