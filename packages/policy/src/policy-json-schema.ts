import type { JsonSchema } from "@basil/catalog";
import * as z from "zod";
import { policySchema } from "./policy-schema.js";

/**
 * The policy document as JSON Schema, draft 2020-12, for editors; the package ships it as `policy.schema.json`. It says what
 * one subject, role or rule may hold. Whether names that refer to each other exist, how often a member is written, how a
 * number is spelled and whether an NKey's checksum is right, only the loader sees.
 */
export const policyJsonSchema: JsonSchema = /* @__PURE__ */ z.toJSONSchema(policySchema, {
  io: "input",
  unrepresentable: "throw",
}) as JsonSchema;
