import * as z from "zod";
import { OPERATIONS } from "./operations.js";
import { SIGNATURE_ALGORITHMS } from "./signature-key.js";

/** Shapes only: what a member may be. Rules across members are applied by the loader; those JSON Schema can say are in `meta`. */

export const uint32Schema = z.int().min(0).max(4294967295);
/** Not blank and without control characters, once trimmed. */
const SUBJECT_NAME = "^\\s*[^\\s\\u0000-\\u001f\\u007f-\\u009f](?:[^\\u0000-\\u001f\\u007f-\\u009f]*\\S)?\\s*$";
const NUMBER_NAME = "^(?:0|[1-9][0-9]{0,9})$";

const principalSchema = z
  .discriminatedUnion("kind", [
    z
      .strictObject({ kind: z.literal("unix"), uid: uint32Schema.nullish(), gid: uint32Schema.nullish() })
      .meta({
        anyOf: [
          { properties: { uid: { type: "integer" } }, required: ["uid"] },
          { properties: { gid: { type: "integer" } }, required: ["gid"] },
        ],
      })
      .describe("The kernel's uid, and a gid that `config.memberships` gives that uid."),
    z.strictObject({ kind: z.literal("unauthenticated") }),
    z
      .strictObject({ kind: z.literal("signature-key"), algorithm: z.enum(SIGNATURE_ALGORITHMS), public: z.string() })
      .meta({
        anyOf: [
          {
            properties: {
              algorithm: { const: "ed25519" },
              public: { type: "string", pattern: "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$" },
            },
          },
          {
            properties: {
              algorithm: { const: "nats-nkey" },
              public: { type: "string", pattern: "^[ACNOUX][A-Z2-7]{55}$" },
            },
          },
        ],
      }),
  ])
  .meta({ id: "Principal" });

const principalsSchema = z.array(principalSchema).meta({ minItems: 1 }).nullish();

export const subjectSchema = z
  .strictObject({
    breakGlass: z
      .boolean()
      .default(false)
      .describe("May be listed in a rule whose target covers every key; grants nothing by itself."),
    allOf: principalsSchema.describe("Every principal must hold."),
    anyOf: principalsSchema.describe("At least one principal must hold."),
  })
  .meta({
    id: "Subject",
    oneOf: [
      { properties: { allOf: { type: "array" } }, required: ["allOf"] },
      { properties: { anyOf: { type: "array" } }, required: ["anyOf"] },
    ],
  });

const actionSchema = z.string().meta({ pattern: `^(?:\\*|role:[\\s\\S]*|op:(?:${OPERATIONS.join("|")}))$` });
const targetSchema = z.string().meta({ pattern: "^(?:\\*\\*?|[^.*]+(?:\\.[^.*]+)*(?:\\.\\*\\*?)?)$" });

export const ruleSchema = z
  .strictObject({
    id: z.string().describe("Unique; shown in explanations."),
    subjects: z.array(z.string()).default([]).meta({ minItems: 1 }).describe("Any of these names in `subjects`."),
    action: z.array(actionSchema).default([]).describe("`op:<operation>`, `role:<name>`, or `*` for 17 operations."),
    target: z.array(targetSchema).default([]).describe("`name`, `prefix.*`, `prefix.**`, or `*` for every key."),
    comment: z.string().nullish(),
  })
  .meta({ id: "Rule", required: ["id", "subjects"] });

const roleSchema = z.array(z.enum(OPERATIONS));

const numberName = z.string().meta({ pattern: NUMBER_NAME });
export const groupsSchema = z.array(uint32Schema);

export const policySchema = z
  .strictObject({
    $schema: z.string().optional().describe("Where an editor finds this schema; not otherwise read."),
    schemaVersion: z.literal(2).default(2),
    subjects: z.record(z.string().meta({ pattern: SUBJECT_NAME }), subjectSchema).default({}),
    unauthenticatedSubject: z.string().nullish().describe("The subject of a caller without peer credentials."),
    roles: z.record(z.string(), roleSchema).default({}),
    rules: z.array(ruleSchema).default([]),
    config: z
      .strictObject({
        names: z
          .strictObject({
            users: z.record(numberName, z.string()).default({}),
            groups: z.record(numberName, z.string()).default({}),
          })
          .default({ users: {}, groups: {} }),
        memberships: z.record(numberName, groupsSchema).optional().describe("The groups of each uid."),
      })
      .default({ names: { users: {}, groups: {} } }),
  })
  .meta({ title: "Basil policy", description: "Who may do what to which key, schemaVersion 2." });

/** The parts the loader walks itself, because a record drops a member named `__proto__`. */
export const policyFrameSchema = policySchema.extend({
  subjects: z.looseObject({}).optional(),
  roles: z.looseObject({}).optional(),
  rules: z.array(z.unknown()).optional(),
  config: z.looseObject({}).optional(),
});
export const configFrameSchema = z.strictObject({
  names: z.looseObject({}).optional(),
  memberships: z.looseObject({}).optional(),
});
export const namesFrameSchema = z.strictObject({
  users: z.looseObject({}).optional(),
  groups: z.looseObject({}).optional(),
});

export type SubjectShape = z.output<typeof subjectSchema>;
export type PrincipalShape = z.output<typeof principalSchema>;
export type RuleShape = z.output<typeof ruleSchema>;
/** A policy document as it is written: defaults may be left out. */
export type PolicyInput = z.input<typeof policySchema>;
