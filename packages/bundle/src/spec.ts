import { BundleError } from "./errors.js";

/** A `--slot` or `--open` text, taken apart: `TYPE[:KEY=VALUE,…]`. */
export interface SlotSpec {
  readonly type: SlotType;
  readonly fields: ReadonlyMap<string, string>;
}

/** A `--backend` text, taken apart: `id=ID,type=TYPE[,KEY=VALUE…]`. */
export interface BackendSpec {
  readonly id: string;
  readonly type: string;
  /** Without `id` and `type`. */
  readonly fields: ReadonlyMap<string, string>;
}

/** What a spec may name. `tpm` is known and refused: it is not built. */
export const SLOT_TYPES = ["passphrase", "bip39", "age", "age-yubikey", "aws-kms", "tpm"] as const;
export type SlotType = (typeof SLOT_TYPES)[number];

const SOURCES = ["file", "fd", "env", "prompt", "stdin"];

const SLOT_FIELDS: Record<SlotType, readonly string[]> = {
  passphrase: [...SOURCES, "label"],
  bip39: [...SOURCES, "label"],
  age: ["recipient", "label"],
  "age-yubikey": ["recipient", "label"],
  "aws-kms": ["key", "region", "profile", "endpoint", "label"],
  tpm: ["pcrs", "bank", "label"],
};

const OPEN_FIELDS: Record<SlotType, readonly string[]> = {
  passphrase: [...SOURCES, "label"],
  bip39: [...SOURCES, "label"],
  age: ["identity", "label"],
  "age-yubikey": ["identity", "recipient", "label"],
  "aws-kms": ["key", "region", "profile", "endpoint", "label"],
  tpm: ["pcrs", "bank", "label"],
};

/** Reads `--slot`, a way to unlock that is to be made. Opens no file. @throws {@link BundleError} `SPEC_SYNTAX`. */
export function parseSlotSpec(text: string): SlotSpec {
  return parseTyped("--slot", text, SLOT_FIELDS);
}

/** Reads `--open`, what unlocks a bundle. Opens no file. @throws {@link BundleError} `SPEC_SYNTAX`. */
export function parseOpenSpec(text: string): SlotSpec {
  return parseTyped("--open", text, OPEN_FIELDS);
}

/** Reads `--backend`, a credential. Its fields are taken as they are. @throws {@link BundleError} `SPEC_SYNTAX`. */
export function parseBackendSpec(text: string): BackendSpec {
  return backendSpec("--backend", parseFields("--backend", text));
}

/** A slot spec from fields that are apart already, as in a manifest. @throws {@link BundleError} `SPEC_SYNTAX`. */
export function slotSpecFromFields(flag: string, fields: ReadonlyMap<string, string>): SlotSpec {
  const rest = new Map(fields);
  const type = rest.get("type");
  if (type === undefined) throw syntax(flag, "type is missing");
  rest.delete("type");
  return typedSpec(flag, type, rest, SLOT_FIELDS);
}

/** A backend spec from fields that are apart already, as in a manifest. @throws {@link BundleError} `SPEC_SYNTAX`. */
export function backendSpecFromFields(flag: string, fields: ReadonlyMap<string, string>): BackendSpec {
  return backendSpec(flag, new Map(fields));
}

function backendSpec(flag: string, fields: Map<string, string>): BackendSpec {
  const id = fields.get("id");
  const type = fields.get("type");
  if (id === undefined) throw syntax(flag, "id= is missing: id=ID,type=TYPE[,KEY=VALUE…] is expected");
  if (type === undefined) throw syntax(flag, "type= is missing: id=ID,type=TYPE[,KEY=VALUE…] is expected");
  if (id.trim() === "") throw syntax(flag, "id is empty");
  if (id !== id.trim()) throw syntax(flag, `id "${id}" begins or ends with white space`);
  fields.delete("id");
  fields.delete("type");
  return { id, type, fields };
}

function parseTyped(flag: string, text: string, allowed: Record<SlotType, readonly string[]>): SlotSpec {
  const colon = text.indexOf(":");
  const type = colon === -1 ? text : text.slice(0, colon);
  // Before the fields: of a type nobody knows nothing can be said about those.
  requireSlotType(flag, type);
  const fields = colon === -1 ? new Map<string, string>() : parseFields(flag, text.slice(colon + 1));
  return typedSpec(flag, type, fields, allowed);
}

function typedSpec(
  flag: string,
  type: string,
  fields: ReadonlyMap<string, string>,
  allowed: Record<SlotType, readonly string[]>,
): SlotSpec {
  requireSlotType(flag, type);
  for (const key of fields.keys()) {
    if (!allowed[type].includes(key)) {
      throw syntax(flag, `${type} takes no field "${key}"; it takes ${allowed[type].join(", ")}`);
    }
  }
  return { type, fields };
}

function requireSlotType(flag: string, type: string): asserts type is SlotType {
  if (!(SLOT_TYPES as readonly string[]).includes(type)) {
    throw syntax(flag, `type "${type}" is unknown; known are ${SLOT_TYPES.join(", ")}`);
  }
}

/** Comma-separated `KEY=VALUE`; a bare element only continues a `pcrs=` list. No quoting. */
function parseFields(flag: string, text: string): Map<string, string> {
  const fields = new Map<string, string>();
  let last: string | undefined;
  for (const element of text.split(",")) {
    const equals = element.indexOf("=");
    if (equals === -1) {
      if (last !== "pcrs" || element.trim() === "") {
        throw syntax(flag, element === "" ? "a field is empty" : `"${element}" is not KEY=VALUE`);
      }
      fields.set("pcrs", `${fields.get("pcrs")},${element}`);
      continue;
    }
    const key = element.slice(0, equals);
    const value = element.slice(equals + 1);
    if (key.trim() === "") throw syntax(flag, `"${element}" has no key`);
    if (value.trim() === "") throw syntax(flag, `${key} has no value`);
    if (fields.has(key)) throw syntax(flag, `${key} is given twice`);
    fields.set(key, value);
    last = key;
  }
  return fields;
}

function syntax(flag: string, problem: string): BundleError<"SPEC_SYNTAX"> {
  return new BundleError("SPEC_SYNTAX", `${flag}: ${problem}`, { flag });
}
