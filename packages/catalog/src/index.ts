export type { BackendEntry, Catalog, CatalogWarning, GenerateRecipe, KeyEntry, SealingPin } from "./catalog.js";
export type { JsonSchema } from "./catalog-json-schema.js";
export { catalogJsonSchema, createCatalogJsonSchema } from "./catalog-json-schema.js";
export type { CatalogInput } from "./catalog-schema.js";
export { compareNames } from "./compare-names.js";
export type { CatalogErrorCode, CatalogErrorDetails, CatalogRefusal, CatalogRefusalCode } from "./errors.js";
export { CATALOG_REFUSAL_CODES, CatalogError } from "./errors.js";
export { durationMs } from "./grammar.js";
export { jsonPointer } from "./json-pointer.js";
export type { JsonObject, JsonValue } from "./json-reader.js";
export { MAX_JSON_DEPTH, MAX_JSON_LENGTH, readJson } from "./json-reader.js";
export { isMaterialized } from "./key-rules.js";
export type { NatsType, SvidKind } from "./labels.js";
export { isCredentialIssuer, labelValue, NATS_TYPES, natsType, SVID_KINDS, svidKind } from "./labels.js";
export { nearest } from "./nearest.js";
export type { ParseCatalogOptions } from "./parse-catalog.js";
export { parseCatalog } from "./parse-catalog.js";
export { isJsonObject, MAX_LIST_LENGTH, readFrame, readShape, readValue } from "./read-shape.js";
export type { Refusal, RefusalParts } from "./refusal.js";
export { escapeControls, MAX_REFUSALS, RefusalList } from "./refusal.js";
export type { Engine, KeyClass, KeyType, MissingPolicy } from "./vocabulary.js";
export {
  BUILT_IN_BACKEND_KINDS,
  defaultEngine,
  ENGINES,
  KEY_CLASSES,
  KEY_TYPES,
  KEY_TYPES_OF_CLASS,
  MAX_RECIPE_BYTES,
  MISSING_POLICIES,
} from "./vocabulary.js";
