import { type CatalogEntry, CatalogKind, KeyType, keyTypeName } from "@basil/proto";
import type { CatalogItem } from "./answers.js";

const CATALOG_KINDS: Readonly<Partial<Record<CatalogKind, CatalogItem["kind"]>>> = {
  [CatalogKind.SIGNING]: "signing",
  [CatalogKind.VALUE]: "value",
  [CatalogKind.ENCRYPTION]: "encryption",
};

export function catalogItem({ name, kind, keyType = KeyType.UNSPECIFIED, latestVersion }: CatalogEntry): CatalogItem {
  const typeName = keyTypeName(keyType);
  return {
    name,
    kind: CATALOG_KINDS[kind] ?? "unknown",
    ...(typeName === undefined ? {} : { keyType: typeName }),
    latestVersion,
    numbers: { kind, keyType },
  };
}
