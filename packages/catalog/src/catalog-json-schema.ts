import * as z from "zod";
import { catalogSchema } from "./catalog-schema.js";
import { BUILT_IN_BACKEND_KINDS } from "./vocabulary.js";

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The catalog document as JSON Schema, for editors. It says what one entry may hold. What holds between entries (names that
 * refer to each other, places used twice), how often a member is written and how a number is spelled, only the loader sees.
 *
 * @param options.kinds - Kinds of plugins, besides {@link BUILT_IN_BACKEND_KINDS}.
 */
export function createCatalogJsonSchema(options: { readonly kinds?: readonly string[] } = {}): JsonSchema {
  const kinds = [...new Set([...BUILT_IN_BACKEND_KINDS, ...(options.kinds ?? [])])];
  return z.toJSONSchema(catalogSchema, {
    io: "input",
    unrepresentable: "throw",
    override: ({ jsonSchema }) => {
      const kind = jsonSchema.id === "Backend" ? jsonSchema.properties?.kind : undefined;
      if (typeof kind === "object") kind.enum = kinds;
    },
  }) as JsonSchema;
}

/** {@link createCatalogJsonSchema} for the built-in kinds; the package ships it as `catalog.schema.json`. */
export const catalogJsonSchema: JsonSchema = /* @__PURE__ */ createCatalogJsonSchema();
