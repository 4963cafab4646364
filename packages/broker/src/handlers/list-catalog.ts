import type { KeyClass, KeyEntry } from "@basil/catalog";
import {
  type CatalogEntry,
  CatalogEntrySchema,
  CatalogKind,
  KEY_TYPE_NUMBERS,
  type KeyType,
  type ListCatalogRequest,
} from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import type { ProbeOutcome } from "../key-probes.js";
import type { Call } from "../request/call.js";

const KINDS = {
  asymmetric: CatalogKind.SIGNING,
  public: CatalogKind.SIGNING,
  symmetric: CatalogKind.ENCRYPTION,
  sealing: CatalogKind.ENCRYPTION,
  value: CatalogKind.VALUE,
} as const satisfies Record<KeyClass, CatalogKind>;

/** What the caller may know about, in byte order of the name; nothing, and no error, for a caller without a subject. */
export async function listCatalog({ prefix }: ListCatalogRequest, call: Call): Promise<CatalogEntry[]> {
  const { catalog } = call.generation;
  const visible = [...catalog.keys.values()].filter(
    ({ name }) => name.startsWith(prefix ?? "") && call.mayAny(["list", "get_public_key", "get"], name),
  );
  if (visible.length === 0) return [];
  const probes = await call.ask(() => call.services.probes.of(catalog));
  return visible.map((entry) => catalogEntry(entry, probes.get(entry.name)));
}

/** A key whose backend does not answer is listed all the same, by what the catalog says. */
function catalogEntry(entry: KeyEntry, probe: ProbeOutcome | undefined): CatalogEntry {
  const present = probe?.state === "present" ? probe : undefined;
  const type = present?.keyType ?? entry.keyType;
  const kind = KINDS[entry.class];
  const numbers: Readonly<Partial<Record<string, KeyType>>> = KEY_TYPE_NUMBERS;
  const keyType = kind === CatalogKind.SIGNING && type !== undefined ? numbers[type] : undefined;
  return create(CatalogEntrySchema, {
    name: entry.name,
    kind,
    ...(keyType === undefined ? {} : { keyType }),
    latestVersion: present?.latestVersion ?? 0,
  });
}
