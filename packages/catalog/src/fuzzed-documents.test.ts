import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyChange, documentChange } from "../../../tests/document-changes.js";
import { many, TEN_MEGABYTES } from "../../../tests/megabytes.js";
import { catalogJsonSchema } from "./catalog-json-schema.js";
import { CatalogError, type CatalogRefusalCode } from "./errors.js";
import { parseCatalog } from "./parse-catalog.js";
import { MAX_LIST_LENGTH } from "./read-shape.js";
import { ENGINES, KEY_CLASSES, KEY_TYPES, MISSING_POLICIES } from "./vocabulary.js";

/** How many times longer than usual; the script `test:long` sets it. */
const LENGTH = Number(process.env.BASIL_TEST_LENGTH ?? 1);

const pairs = ["a", "b", "c"].map((pair) =>
  readFileSync(new URL(`../../../vectors/documents/pair-${pair}.catalog.json`, import.meta.url), "utf8"),
);

/** Rules between entries and on the first of several labels: the JSON Schema cannot say them. */
const SILENT: readonly CatalogRefusalCode[] = [
  "UnknownBackend",
  "DuplicatePath",
  "UnknownPairOf",
  "NonSpiffeJwtSvidAlg",
];

const words = [
  ...KEY_TYPES,
  ...KEY_CLASSES,
  ...ENGINES,
  ...MISSING_POLICIES,
  "",
  " ",
  "main",
  "pki/issue/x",
  "__proto__",
  "nats_type=A",
  "nats_type",
  "pqc_custody=x",
  "hex",
  "age-x25519",
  "1h",
  "\u2028\u0000",
  "pairOf",
];
const members = [
  "class",
  "keyType",
  "engine",
  "backend",
  "path",
  "publicPath",
  "writable",
  "missing",
  "generate",
  "sealingPin",
  "labels",
  "description",
  "format",
  "bytes",
  "parties",
  "externalAad",
  "kind",
  "__proto__",
  "x",
];
const change = documentChange({
  maxSteps: 5,
  members,
  words,
  values: [null, true, false, 0, 1, -1, 4294967296, {}, [], [""], { format: "hex", bytes: 1 }, { parties: {} }],
});

describe("parseCatalog", () => {
  it("takes or refuses whatever is made of an example, as the JSON Schema does", () => {
    const validate = new Ajv2020({ allErrors: true }).compile(catalogJsonSchema);
    fc.assert(
      fc.property(fc.constantFrom(...pairs), fc.array(change, { minLength: 1, maxLength: 3 }), (text, changes) => {
        const document = JSON.parse(text);
        for (const one of changes) applyChange(document, structuredClone(one));
        const codes = codesOf(JSON.stringify(document));
        expect([validate(document), codes]).toEqual([codes.every((code) => SILENT.includes(code)), codes]);
      }),
      { numRuns: 1000 * LENGTH },
    );
  });

  it("takes or refuses any JSON text", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        codesOf(text);
      }),
      { numRuns: 200 * LENGTH },
    );
  });
});

/** For what is slow to state: issues of a wrong shape. The long run takes ten. */
const MEGABYTES = LENGTH > 1 ? TEN_MEGABYTES : 2 * 1024 * 1024;

const backends = '"backends":{"b":{"kind":"vault","addr":""}}';
const key = (i: number) => `"k${i}":{"class":"value","backend":"b","path":"p${i}","writable":true,"description":"d"}`;

describe("parseCatalog, given megabytes of", () => {
  it.for([
    ["keys, reads them", () => `{"schemaVersion":1,${backends},"keys":{${many(key)}}}`, []],
    ["nested arrays", () => "[".repeat(TEN_MEGABYTES), ["Json"]],
    ["one string", () => `"${"a".repeat(TEN_MEGABYTES)}"`, ["Json"]],
    [
      "one key name",
      () => `{"schemaVersion":1,${backends},"keys":{${key(0).replace("k0", "a.".repeat(TEN_MEGABYTES / 2))}}}`,
      ["BadKeyName"],
    ],
    [
      "repeated members under a long name",
      () => `{"${"~".repeat(1e6)}":{${many(() => '"a":1', MEGABYTES)}}}`,
      ["Json"],
    ],
    ["fractions", () => `[${many(() => "1.5", MEGABYTES)}]`, ["Json"]],
    ["unknown members", () => `{${many((i) => `"m${i}":1`, MEGABYTES)}}`, ["Json"]],
    [
      "keys of another shape",
      () => `{"schemaVersion":1,${backends},"keys":{${many((i) => `"k${i}":1`, MEGABYTES)}}}`,
      ["Json"],
    ],
    [
      "unknown backends",
      () => `{"schemaVersion":1,${backends},"keys":{${many((i) => key(i).replace('"b"', `"b${i}"`))}}}`,
      ["UnknownBackend"],
    ],
    [
      "wrong labels",
      () => `{"schemaVersion":1,${backends},"keys":{"k":{"labels":[${many(() => "1", MEGABYTES)}]}}}`,
      ["Json"],
    ],
  ] as [string, () => string, string[]][])("%s, answers", ([, make, codes]) => {
    expect([...new Set(codesOf(make()))].sort()).toEqual(codes);
  });

  it("a list at the limit, reads it, and not one longer", () => {
    const labels = (count: number) =>
      `{"schemaVersion":1,${backends},"keys":{"k":{"class":"value","backend":"b","path":"p","writable":true,"description":"d","labels":[${Array(count).fill('"x"')}]}}}`;
    expect(codesOf(labels(MAX_LIST_LENGTH))).toEqual([]);
    expect(codesOf(labels(MAX_LIST_LENGTH + 1))).toEqual(["Json"]);
  });
});

function codesOf(text: string): CatalogRefusalCode[] {
  try {
    parseCatalog(text);
    return [];
  } catch (error) {
    if (error instanceof CatalogError) return error.refusals.map(({ code }) => code);
    throw error;
  }
}
