import { Refusal } from "./refusal.js";

interface Constraints {
  readonly required?: true;
}
interface StringShape extends Constraints {
  readonly type: "string";
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly values?: readonly string[];
}
interface BlobShape extends Constraints {
  readonly type: "blob";
  readonly min: number;
  readonly max: number;
  /** The value is left out of messages even when the member is missing. */
  readonly sensitive?: true;
}
interface IntegerShape extends Constraints {
  readonly type: "integer";
  readonly min?: number;
  readonly max?: number;
}
interface BooleanShape extends Constraints {
  readonly type: "boolean";
}
interface ListShape extends Constraints {
  readonly type: "list";
  readonly member: Shape;
  readonly min?: number;
  readonly max?: number;
}
interface MapShape extends Constraints {
  readonly type: "map";
}
interface StructureShape extends Constraints {
  readonly type: "structure";
  readonly members: Readonly<Record<string, Shape>>;
}

/** One member of a request, with the limits of the service model `kms-2014-11-01`. */
export type Shape = StringShape | BlobShape | IntegerShape | BooleanShape | ListShape | MapShape | StructureShape;
export type InputShape = Readonly<Record<string, Shape>>;

type Typed<S extends Shape> = S extends { type: "string"; values: readonly (infer V)[] }
  ? V
  : S extends { type: "string" }
    ? string
    : S extends { type: "blob" }
      ? Uint8Array
      : S extends { type: "integer" }
        ? number
        : S extends { type: "boolean" }
          ? boolean
          : S extends { type: "list"; member: infer M extends Shape }
            ? readonly Typed<M>[]
            : S extends { type: "map" }
              ? ReadonlyMap<string, string>
              : S extends { type: "structure"; members: infer M extends InputShape }
                ? Input<M>
                : never;

/** The request a shape describes, after decoding: absent members are undefined. */
export type Input<I extends InputShape> = {
  readonly [K in keyof I]: I[K] extends { required: true } ? Typed<I[K]> : Typed<I[K]> | undefined;
};

type Violations = string[];

const serialization = (message: string) => new Refusal("SerializationException", message);

/** `KeyId` → `keyId`, as the service writes member names. */
function camel(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

function token(value: unknown): string {
  if (value === true) return "TRUE_VALUE";
  if (value === false) return "FALSE_VALUE";
  return typeof value === "number" ? (Number.isInteger(value) ? "NUMBER_VALUE" : "DECIMAL_VALUE") : "STRING_VALUE";
}

function scalar(value: unknown, wanted: string): Refusal {
  if (Array.isArray(value)) return serialization("Start of list found where not expected");
  if (typeof value === "object") return serialization("Start of structure or map found where not expected.");
  return serialization(`${token(value)} cannot be converted to ${wanted}`);
}

function decodeString(value: unknown): string {
  if (typeof value !== "string") throw scalar(value, "String");
  return value;
}

function decodeBlob(value: unknown): Uint8Array {
  const text = decodeString(value);
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw serialization("Invalid base64 encoding");
  }
  return new Uint8Array(Buffer.from(text, "base64"));
}

function decodeObject(value: unknown): ReadonlyMap<string, unknown> {
  if (typeof value !== "object" || value === null)
    throw serialization(`${token(value)} cannot be converted to a structure or map`);
  if (Array.isArray(value)) throw serialization("Start of list found where not expected");
  return new Map(Object.entries(value));
}

function lengthRule(
  length: number,
  shape: { readonly min?: number; readonly max?: number },
  kind: "length" | "value",
): string | undefined {
  if (shape.min !== undefined && length < shape.min) return `have ${kind} greater than or equal to ${shape.min}`;
  if (shape.max !== undefined && length > shape.max) return `have ${kind} less than or equal to ${shape.max}`;
  return undefined;
}

const patterns = new Map<string, RegExp>();

function matchesPattern(value: string, pattern: string): boolean {
  let expression = patterns.get(pattern);
  if (expression === undefined) {
    expression = new RegExp(pattern, "u");
    patterns.set(pattern, expression);
  }
  return expression.test(value);
}

function stringRule(value: string, shape: StringShape): string | undefined {
  const byLength = lengthRule(value.length, shape, "length");
  if (byLength !== undefined) return byLength;
  if (shape.values !== undefined && !shape.values.includes(value))
    return `satisfy enum value set: [${shape.values.join(", ")}]`;
  if (shape.pattern !== undefined && !matchesPattern(value, shape.pattern))
    return `satisfy regular expression pattern: ${shape.pattern}`;
  return undefined;
}

function violation(shown: string | undefined, path: string, rule: string): string {
  return `Value ${shown === undefined ? "" : `${shown} `}at '${path}' failed to satisfy constraint: Member must ${rule}`;
}

function decodeShape(value: unknown, shape: Shape, path: string, violations: Violations): unknown {
  const check = (shown: string | undefined, rule: string | undefined) => {
    if (rule !== undefined) violations.push(violation(shown, path, rule));
  };
  switch (shape.type) {
    case "string": {
      const text = decodeString(value);
      check(`'${text}'`, stringRule(text, shape));
      return text;
    }
    case "blob": {
      const bytes = decodeBlob(value);
      check(undefined, lengthRule(bytes.length, shape, "length"));
      return bytes;
    }
    case "integer": {
      if (typeof value !== "number" || !Number.isInteger(value)) throw scalar(value, "Integer");
      if (value > 0x7fffffff || value < -0x80000000) throw serialization(`${value} is out of the range of Integer`);
      check(`'${value}'`, lengthRule(value, shape, "value"));
      return value;
    }
    case "boolean": {
      if (typeof value !== "boolean") throw scalar(value, "Boolean");
      return value;
    }
    case "list": {
      if (!Array.isArray(value)) throw serialization("Expected list or null");
      check(`'[${value.length} members]'`, lengthRule(value.length, shape, "length"));
      return value.map((item: unknown, i) => {
        if (item !== null) return decodeShape(item, shape.member, `${path}.${i + 1}.member`, violations);
        check("null", "not be null");
        return undefined;
      });
    }
    case "map": {
      const pairs = new Map<string, string>();
      for (const [key, item] of decodeObject(value)) if (item !== null) pairs.set(key, decodeString(item));
      return pairs;
    }
    case "structure":
      return decodeMembers(decodeObject(value), shape.members, `${path}.`, violations);
  }
}

function decodeMembers(
  found: ReadonlyMap<string, unknown>,
  members: InputShape,
  prefix: string,
  violations: Violations,
): Record<string, unknown> {
  const decoded: Record<string, unknown> = {};
  for (const [name, shape] of Object.entries(members)) {
    const value = found.get(name);
    const path = prefix + camel(name);
    if (value !== undefined && value !== null) decoded[name] = decodeShape(value, shape, path, violations);
    else if (shape.required)
      violations.push(violation(shape.type === "blob" && shape.sensitive ? undefined : "null", path, "not be null"));
  }
  return decoded;
}

/** Checks members already taken apart; all violations together make one refusal with `code`. */
export function decodeValues<I extends InputShape>(
  found: ReadonlyMap<string, unknown>,
  shape: I,
  code: string,
): Input<I> {
  const violations: Violations = [];
  const input = decodeMembers(found, shape, "", violations);
  if (violations.length > 0) {
    const count = `${violations.length} validation error${violations.length > 1 ? "s" : ""} detected`;
    throw new Refusal(code, `${count}: ${violations.join("; ")}`);
  }
  return input as Input<I>;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Decodes a JSON 1.1 body. Unknown members are ignored, `null` is absent.
 *
 * A body or member of the wrong JSON type is a `SerializationException`; members over their limits together make one
 * `ValidationException` in the service's words.
 */
export function decodeInput<I extends InputShape>(body: Uint8Array, shape: I): Input<I> {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(body));
  } catch {
    throw serialization("Unable to parse the request body as JSON");
  }
  return decodeValues(decodeObject(value), shape, "ValidationException");
}
