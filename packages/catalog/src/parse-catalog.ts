import type { BackendEntry, Catalog, CatalogWarning, GenerateRecipe, KeyEntry, SealingPin } from "./catalog.js";
import { checkReferences } from "./catalog-references.js";
import { backendSchema, catalogFrameSchema, type KeyShape, keySchema } from "./catalog-schema.js";
import { compareNames } from "./compare-names.js";
import { type CatalogRefusalCode, catalogRefused } from "./errors.js";
import { jsonPointer } from "./json-pointer.js";
import { type JsonValue, readJson } from "./json-reader.js";
import { checkKey, type KeyDraft } from "./key-rules.js";
import { checkLabels } from "./label-rules.js";
import { natsType } from "./labels.js";
import { isJsonObject, readFrame, readShape } from "./read-shape.js";
import { RefusalList } from "./refusal.js";
import { BUILT_IN_BACKEND_KINDS, defaultEngine } from "./vocabulary.js";

export interface ParseCatalogOptions {
  /** Kinds of loaded plugins, known besides {@link BUILT_IN_BACKEND_KINDS}. */
  readonly kinds?: readonly string[];
}

type Refusals = RefusalList<CatalogRefusalCode>;

/**
 * Reads a catalog document: UTF-8 JSON, at most 64 MiB, strict at every level.
 *
 * @param source - The text or the bytes of the file.
 * @returns The catalog with every default filled in, its maps in byte order of the names.
 * @throws {@link CatalogError} `CATALOG_REFUSED` with every refusal, each with the JSON pointer of its place.
 * @throws TypeError when `source` is neither a string nor a `Uint8Array`.
 */
export function parseCatalog(source: string | Uint8Array, options: ParseCatalogOptions = {}): Catalog {
  const refusals: Refusals = new RefusalList();
  const document = readJson(source, refusals);
  if (document === undefined || isOtherVersion(document, refusals)) throw catalogRefused(refusals);

  const frame = readFrame(catalogFrameSchema, document, ["backends", "keys"], "", refusals);
  const backends = readBackends(
    frame.backends,
    new Set([...BUILT_IN_BACKEND_KINDS, ...(options.kinds ?? [])]),
    refusals,
  );
  const drafts = readKeys(frame.keys, refusals);
  checkReferences(drafts, backends.names, refusals);
  if (!refusals.empty) throw catalogRefused(refusals);

  const keys = new Map(drafts.map((draft) => [draft.name, keyEntry(draft.name, draft.members as KeyShape)]));
  return { schemaVersion: 1, backends: backends.entries, keys, warnings: warningsOf(keys) };
}

/** A document of another version is told by its version alone: what else it holds cannot be judged. */
function isOtherVersion(document: JsonValue, refusals: Refusals): boolean {
  const version = isJsonObject(document) ? document.schemaVersion : undefined;
  if (typeof version !== "number" || version === 1 || !(version >= 0 && version <= 4294967295)) return false;
  const pointer = "/schemaVersion";
  refusals.add({
    code: "UnsupportedCatalogSchema",
    pointer,
    problem: "a catalog of another version",
    found: version,
    allowed: "1",
  });
  return true;
}

/** The members of a named map in byte order of the names. */
function namedEntries(map: JsonValue | undefined): [name: string, value: JsonValue][] {
  return isJsonObject(map) ? Object.entries(map).sort(([a], [b]) => compareNames(a, b)) : [];
}

function readBackends(map: JsonValue | undefined, kinds: ReadonlySet<string>, refusals: Refusals) {
  const entries = new Map<string, BackendEntry>();
  const named = namedEntries(map);
  for (const [name, value] of named) {
    if (refusals.full) break;
    const pointer = jsonPointer("/backends", name);
    const shape = readShape(backendSchema, value, pointer, refusals);
    if (shape === undefined) continue;
    const { kind } = shape.members;
    if (kind !== undefined && !kinds.has(kind)) {
      refusals.add({
        code: "UnknownBackendKind",
        pointer: jsonPointer(pointer, "kind"),
        problem: "no backend of this kind is known",
        found: kind,
        allowed: [...kinds].join(", "),
        vocabulary: kinds,
      });
    }
    if (shape.wrong.size === 0) entries.set(name, { name, ...shape.members } as BackendEntry);
  }
  return { entries, names: isJsonObject(map) ? new Set(named.map(([name]) => name)) : undefined };
}

function readKeys(map: JsonValue | undefined, refusals: Refusals): KeyDraft[] {
  const drafts: KeyDraft[] = [];
  for (const [name, value] of namedEntries(map)) {
    if (refusals.full) break;
    const pointer = jsonPointer("/keys", name);
    const shape = readShape(keySchema, value, pointer, refusals);
    const draft = { name, pointer, members: shape?.members ?? {}, wrong: shape?.wrong ?? new Set<string>() };
    checkKey(draft, refusals);
    checkLabels(draft.members.labels ?? [], pointer, refusals);
    drafts.push(draft);
  }
  return drafts;
}

function keyEntry(name: string, shape: KeyShape): KeyEntry {
  const { keyType, engine, publicPath, generate, sealingPin, ...required } = shape;
  return {
    name,
    ...required,
    engine: engine ?? defaultEngine(shape.class),
    ...(keyType == null ? {} : { keyType }),
    ...(engine == null ? {} : { engineAsWritten: engine }),
    ...(publicPath == null ? {} : { publicPath }),
    ...(generate == null ? {} : { generate: generate satisfies GenerateRecipe }),
    ...(sealingPin == null ? {} : { sealingPin: pinOf(sealingPin) }),
  };
}

function pinOf({ parties, externalAad }: NonNullable<KeyShape["sealingPin"]>): SealingPin {
  if (parties == null) return { externalAad };
  const { partyU, partyV } = parties;
  const slots = { ...(partyU == null ? {} : { partyU }), ...(partyV == null ? {} : { partyV }) };
  return { parties: slots, externalAad };
}

function warningsOf(keys: ReadonlyMap<string, KeyEntry>): CatalogWarning[] {
  const warnings: CatalogWarning[] = [];
  for (const key of keys.values()) {
    const pointer = jsonPointer("/keys", key.name);
    if (key.engine === "pki" && key.path.endsWith("/issue/")) {
      const message = `${jsonPointer(pointer, "path")}: no role after issue/: the backend cannot issue from it; write <mount>/issue/<role>`;
      warnings.push({ code: "PkiPathWithoutRole", pointer: jsonPointer(pointer, "path"), message });
    }
    if (key.keyType !== "ed25519-nkey" || natsType(key) !== undefined) continue;
    const message = `${pointer}: an ed25519-nkey without a nats_type label is held for an issuer and never signs raw bytes`;
    warnings.push({ code: "MissingNatsType", pointer, message });
  }
  return warnings;
}
