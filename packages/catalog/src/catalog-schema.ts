import * as z from "zod";
import { DURATION, KEY_NAME, NOT_BLANK } from "./grammar.js";
import { keyRulesJsonSchema } from "./key-rules-json-schema.js";
import { labelRulesJsonSchema } from "./label-rules.js";
import {
  BUILT_IN_BACKEND_KINDS,
  ENGINES,
  KEY_CLASSES,
  KEY_TYPES,
  MAX_RECIPE_BYTES,
  MISSING_POLICIES,
  RECIPE_TEXT_FORMATS,
} from "./vocabulary.js";

/** Shapes only: what a member may be. Rules across members are applied by the loader; those JSON Schema can say are in `meta`. */

export const uint32Schema = z.int().min(0).max(4294967295);

export const backendSchema = z
  .strictObject({
    kind: z
      .string()
      .meta({ enum: [...BUILT_IN_BACKEND_KINDS] })
      .describe("Which adapter holds the keys: vault, keystore, aws-kms, gcp-kms, or the kind of a plugin."),
    addr: z.string().describe("A label for most kinds; a keystore's database path. May be empty."),
    engines: z.array(z.enum(ENGINES)).default([]).describe("Engines the backend provides."),
    capabilities: z.array(z.string()).default([]).describe("Feature flags the backend provides; an open set."),
    mintKeyTypes: z.array(z.enum(KEY_TYPES)).default([]).describe("Key types that may be created or imported here."),
    requires: z.array(z.string()).default([]).describe("Feature flags this deployment demands of the backend."),
  })
  .meta({ id: "Backend" });

const recipeBytes = uint32Schema.meta({ minimum: 1, maximum: MAX_RECIPE_BYTES });

const recipeSchema = z
  .discriminatedUnion("format", [
    z.strictObject({ format: z.enum(RECIPE_TEXT_FORMATS), bytes: recipeBytes }),
    z.strictObject({ format: z.literal("age-x25519") }),
    z.strictObject({
      format: z.literal("self-signed-tls"),
      commonName: z.string().meta({ pattern: NOT_BLANK.source }),
      validity: z.string().meta({ pattern: DURATION.source, examples: ["8760h"] }),
    }),
    z.strictObject({ format: z.literal("self-signed-tls-pair-of"), pairOf: z.string() }),
  ])
  .meta({ id: "GenerateRecipe" });

const pinnedParty = z.string().nullish().meta({ minLength: 1 });

const sealingPinSchema = z
  .strictObject({
    parties: z
      .strictObject({ partyU: pinnedParty, partyV: pinnedParty })
      .nullish()
      .describe("Both KDF parties must be these; a party left out is the nil identity."),
    externalAad: z.array(z.string()).default([]).describe("The external AAD must equal one of these."),
  })
  .meta({
    id: "SealingPin",
    anyOf: [
      { properties: { parties: { type: "object" } }, required: ["parties"] },
      { properties: { externalAad: { type: "array", minItems: 1 } }, required: ["externalAad"] },
    ],
  });

export const keySchema = z
  .strictObject({
    class: z.enum(KEY_CLASSES),
    keyType: z.enum(KEY_TYPES).nullish(),
    backend: z.string().describe("A name in `backends`."),
    engine: z
      .enum(ENGINES)
      .nullish()
      .describe("transit for asymmetric and symmetric, kv2 for the others, unless given."),
    path: z
      .string()
      .meta({ pattern: NOT_BLANK.source })
      .describe(
        "Where the backend keeps the key, in the backend's own terms: a KMS alias, ARN or key id, a vault path.",
      ),
    publicPath: z.string().nullish().describe("Where the public half of a materialized key is stored."),
    writable: z.boolean().describe("False forbids set, rotate, import and new_key, whatever the policy says."),
    missing: z.enum(MISSING_POLICIES).default("error").describe("What reconcile does when the backend lacks the key."),
    generate: recipeSchema.nullish(),
    sealingPin: sealingPinSchema.nullish(),
    labels: z
      .array(z.string())
      .default([])
      .meta({ ...labelRulesJsonSchema })
      .describe("`name=value` or a bare slug."),
    description: z.string().meta({ pattern: NOT_BLANK.source }),
  })
  .meta({ id: "Key", allOf: keyRulesJsonSchema });

export const catalogSchema = z
  .strictObject({
    $schema: z.string().optional().describe("Where an editor finds this schema; not otherwise read."),
    schemaVersion: z.literal(1),
    backends: z.record(z.string(), backendSchema),
    keys: z.record(z.string().meta({ pattern: KEY_NAME.source }), keySchema),
  })
  .meta({ title: "Basil catalog", description: "Backends and the keys they hold, schemaVersion 1." });

/** The top level alone; the loader walks the two maps itself, because a record drops a member named `__proto__`. */
export const catalogFrameSchema = catalogSchema.extend({ backends: z.looseObject({}), keys: z.looseObject({}) });

export type KeyShape = z.output<typeof keySchema>;
/** A catalog document as it is written: defaults may be left out. */
export type CatalogInput = z.input<typeof catalogSchema>;
