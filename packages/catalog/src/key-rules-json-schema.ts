import { NOT_BLANK, PKI_ISSUE_PATH } from "./grammar.js";
import { KEY_TYPES_OF_CLASS } from "./vocabulary.js";

type Schema = Readonly<Record<string, unknown>>;

/** The rules across the members of one key entry that JSON Schema can say; it cannot look at other entries. */
export const keyRulesJsonSchema: readonly Schema[] = [
  ...Object.entries(KEY_TYPES_OF_CLASS).map(([keyClass, types]) =>
    implies({ class: is(keyClass) }, { properties: { keyType: { enum: types } }, required: ["keyType"] }),
  ),
  implies({ class: is("value") }, absent("keyType")),
  implies({ class: { not: is("value", "public") } }, absent("generate")),
  implies(
    { class: is("value", "public"), missing: is("generate") },
    { properties: { generate: { type: "object" } }, required: ["generate"] },
    ["missing"],
  ),
  implies({ class: is("asymmetric"), engine: is("kv2") }, { properties: { keyType: is("ed25519") } }, ["engine"]),
  implies(
    { engine: is("pki") },
    { properties: { class: is("asymmetric"), path: { type: "string", pattern: PKI_ISSUE_PATH.source } } },
    ["engine"],
  ),
  { anyOf: [{ not: materialized() }, { properties: { publicPath: notBlankText() }, required: ["publicPath"] }] },
  { anyOf: [materialized(), absent("publicPath")] },
  implies({ class: { not: is("sealing") } }, absent("sealingPin")),
];

function is(...words: readonly string[]): Schema {
  return words.length === 1 ? { const: words[0] } : { enum: words };
}

/** `required` names the members that the condition needs to be written; the class always is. */
function implies(condition: Record<string, Schema>, consequence: Schema, required: readonly string[] = []): Schema {
  return { anyOf: [{ not: { properties: condition, required } }, consequence] };
}

function absent(member: string): Schema {
  return { properties: { [member]: { type: "null" } } };
}

function notBlankText(): Schema {
  return { type: "string", pattern: NOT_BLANK.source };
}

function materialized(): Schema {
  const sealing = { properties: { class: is("sealing") } };
  const kv2Signer = { properties: { class: is("asymmetric"), engine: is("kv2") }, required: ["engine"] };
  return { anyOf: [sealing, kv2Signer] };
}
