export type { BackendEntry, Catalog, CatalogWarning, GenerateRecipe, KeyEntry, SealingPin } from "./catalog.js";
export type { Engine, KeyClass, KeyType, MissingPolicy } from "./vocabulary.js";
export { BUILT_IN_BACKEND_KINDS, ENGINES, KEY_CLASSES, KEY_TYPES, MISSING_POLICIES } from "./vocabulary.js";
