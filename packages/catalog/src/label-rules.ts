import type { CatalogRefusalCode } from "./errors.js";
import { jsonPointer } from "./json-pointer.js";
import { NATS_TYPES, splitLabel } from "./labels.js";
import type { RefusalList } from "./refusal.js";

const NOT_BLANK = "a value that is not blank";

/** Labels whose value is checked, with the values they take. */
const RESERVED_LABELS: Readonly<Record<string, readonly string[] | typeof NOT_BLANK>> = {
  crypto_provider: ["vault-transit", "local-software"],
  crypto_provider_version: NOT_BLANK,
  crypto_provider_policy: ["backend-required", "backend-preferred", "local-software"],
  pqc_algorithm: ["ml-dsa-44", "ml-dsa-65", "ml-dsa-87", "ml-kem-512", "ml-kem-768", "ml-kem-1024"],
  pqc_custody: ["backend-native", "software-encrypted"],
  pqc_storage_key: NOT_BLANK,
  migration_target: NOT_BLANK,
  broker_key_use: ["response-signing", "request-encryption", "response-encryption"],
};

/** `nats_type` decides whether a key may sign raw bytes, so it is checked as strictly as the reserved labels. */
const CHECKED: Readonly<Record<string, readonly string[] | typeof NOT_BLANK>> = {
  ...RESERVED_LABELS,
  nats_type: NATS_TYPES,
};

/** Each checked label is `name=value` with an allowed value, once a key; every other label is free and may repeat. */
export function checkLabels(
  labels: readonly string[],
  keyPointer: string,
  refusals: Pick<RefusalList<CatalogRefusalCode>, "add">,
): void {
  const seen = new Set<string>();
  labels.forEach((label, index) => {
    const { name, value } = splitLabel(label);
    if (!Object.hasOwn(CHECKED, name)) return;
    const rule = CHECKED[name]!;
    const pointer = jsonPointer(keyPointer, "labels", index);
    const valid = value !== undefined && (rule === NOT_BLANK ? value.trim() !== "" : rule.includes(value));
    if (!valid) {
      refusals.add({
        code: name === "nats_type" ? "InvalidNatsType" : "InvalidReservedLabel",
        pointer,
        problem: value === undefined ? `the label ${name} needs a value` : `not a value of the label ${name}`,
        found: label,
        allowed: rule === NOT_BLANK ? `${name}= and ${rule}` : rule.map((word) => `${name}=${word}`).join(", "),
        ...(rule === NOT_BLANK ? {} : { vocabulary: rule.map((word) => `${name}=${word}`) }),
      });
    }
    if (seen.has(name)) {
      refusals.add({
        code: "DuplicateReservedLabel",
        pointer,
        problem: `the label ${name} is given more than once`,
        found: label,
        allowed: `one ${name} a key`,
      });
    }
    seen.add(name);
  });
}

/** The same rules for a `labels` array, as JSON Schema: an allowed value, once. */
export const labelRulesJsonSchema = {
  items: {
    type: "string",
    allOf: Object.entries(CHECKED).map(([name, rule]) => ({
      anyOf: [
        { not: { pattern: `^${name}(?:=|$)` } },
        { pattern: rule === NOT_BLANK ? `^${name}=[\\s\\S]*\\S` : `^${name}=(?:${rule.join("|")})$` },
      ],
    })),
  },
  allOf: Object.keys(CHECKED).map((name) => ({
    contains: { type: "string", pattern: `^${name}(?:=|$)` },
    minContains: 0,
    maxContains: 1,
  })),
};
