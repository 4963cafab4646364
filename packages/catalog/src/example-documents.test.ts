import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { catalogJsonSchema, createCatalogJsonSchema } from "./catalog-json-schema.js";
import { CATALOG_REFUSAL_CODES, CatalogError } from "./errors.js";
import { parseCatalog } from "./parse-catalog.js";

interface Mutation {
  readonly section: string;
  readonly title: string;
  readonly base: string;
  readonly patch: readonly PatchOperation[];
  readonly refusals: readonly string[];
  readonly warnings?: readonly string[];
  /** The rule is one that JSON Schema cannot say. */
  readonly schemaSilent?: true;
}
type PatchOperation =
  | { readonly op: "add"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string }
  | { readonly op: "move"; readonly from: string; readonly path: string };

const mutations: Mutation[] = JSON.parse(vector("documents/catalog-mutations.json"));
const validate = new Ajv2020({ allErrors: true }).compile(catalogJsonSchema);

describe("parseCatalog", () => {
  it.for(["a", "b", "c"])("reads example pair %s without a warning (§8)", (pair) => {
    const text = vector(`documents/pair-${pair}.catalog.json`);
    expect(parseCatalog(text).warnings).toEqual([]);
    expect(validate(JSON.parse(text))).toBe(true);
  });

  it.for(mutations.map((mutation) => [`${mutation.section} ${mutation.title}`, mutation] as const))(
    "answers %s",
    ([, mutation]) => {
      const text = JSON.stringify(mutated(mutation));
      expect(codesOf(text).sort()).toEqual([...mutation.refusals].sort());
      if (mutation.refusals.length === 0) {
        expect(parseCatalog(text).warnings.map(({ code }) => code)).toEqual(mutation.warnings ?? []);
      }
    },
  );

  it("has a mutation for every code it may answer", () => {
    const told = new Set(mutations.flatMap(({ refusals }) => refusals));
    expect(CATALOG_REFUSAL_CODES.filter((code) => !told.has(code))).toEqual([]);
  });
});

describe("catalogJsonSchema", () => {
  it.for(mutations.map((mutation) => [`${mutation.section} ${mutation.title}`, mutation] as const))(
    "agrees with the loader on %s",
    ([, mutation]) => {
      const good = mutation.refusals.length === 0 || mutation.schemaSilent === true;
      expect([validate(mutated(mutation)), validate.errors]).toEqual([good, good ? null : expect.anything()]);
    },
  );

  it("is the committed catalog.schema.json", async () => {
    await expect(`${JSON.stringify(catalogJsonSchema, null, 2)}\n`).toMatchFileSnapshot("../catalog.schema.json");
  });

  it("knows the kinds of plugins it is told", () => {
    const text = vector("documents/pair-a.catalog.json").replace('"kind": "vault"', '"kind": "hsm"');
    const schema = createCatalogJsonSchema({ kinds: ["hsm"] });
    expect(new Ajv2020().compile(schema)(JSON.parse(text))).toBe(true);
    expect(parseCatalog(text, { kinds: ["hsm"] }).backends.get("main")?.kind).toBe("hsm");
    expect(codesOf(text)).toEqual(["UnknownBackendKind"]);
  });
});

function vector(path: string): string {
  return readFileSync(new URL(`../../../vectors/${path}`, import.meta.url), "utf8");
}

function codesOf(text: string): string[] {
  try {
    parseCatalog(text);
    return [];
  } catch (error) {
    if (error instanceof CatalogError) return error.refusals.map(({ code }) => code);
    throw error;
  }
}

/** The base document changed by a JSON Patch (RFC 6902) of `add`, `remove` and `move` on object members. */
function mutated({ base, patch }: Mutation): unknown {
  let document = JSON.parse(vector(`documents/${base}.catalog.json`));
  for (const operation of structuredClone(patch)) {
    if (operation.path === "") {
      document = (operation as { value: unknown }).value;
      continue;
    }
    const value = operation.op === "add" ? operation.value : operation.op === "move" && take(document, operation.from);
    if (operation.op === "remove") take(document, operation.path);
    else put(document, operation.path, value);
  }
  return document;
}

function holder(document: object, path: string): [object: Record<string, unknown>, member: string] {
  const tokens = path
    .slice(1)
    .split("/")
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
  const member = tokens.pop()!;
  const object = tokens.reduce<unknown>((at, token) => (at as Record<string, unknown>)[token], document);
  return [object as Record<string, unknown>, member];
}

function put(document: object, path: string, value: unknown): void {
  const [object, member] = holder(document, path);
  Object.defineProperty(object, member, { value, enumerable: true, configurable: true, writable: true });
}

function take(document: object, path: string): unknown {
  const [object, member] = holder(document, path);
  const value = object[member];
  if (value === undefined) throw new Error(`nothing at ${path}`);
  delete object[member];
  return value;
}
