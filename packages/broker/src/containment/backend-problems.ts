import { type Backend, type Capabilities, capabilitiesProblems, ENGINES, type TransitOperation } from "@basil/core";

const METHODS = {
  transit: ["sign", "verify", "publicKey", "encrypt", "decrypt", "createKey"],
  kv2: ["get", "put", "probe"],
  pki: ["issue"],
} as const;

/** What keeps a value from being a `Backend`, one line each; empty when it is. A getter that throws is a problem too. */
export function backendProblems(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [`it must be an object, found ${typeof value}`];
  try {
    return problemsOf(value as Backend);
  } catch (error) {
    return [`a member cannot be read: ${error instanceof Error ? error.message : typeof error}`];
  }
}

function problemsOf(backend: Backend): string[] {
  const { id, kind, capabilities } = backend;
  const problems = [
    ...(typeof id === "string" && id !== "" ? [] : ["id must be a text that is not empty"]),
    ...(typeof kind === "string" && kind !== "" ? [] : ["kind must be a text that is not empty"]),
    ...["probe", "health"].flatMap((name) => missing(backend, name)),
    ...(typeof backend[Symbol.asyncDispose] === "function" ? [] : ["Symbol.asyncDispose must be a method"]),
    ...capabilitiesProblems(capabilities),
  ];
  if (problems.length > 0) return problems;
  try {
    structuredClone(capabilities);
  } catch {
    return ["capabilities must be plain data"];
  }
  return engineProblems(backend);
}

function engineProblems(backend: Backend): string[] {
  const { engines, keyTypes } = backend.capabilities;
  const problems = ENGINES.flatMap((name) => {
    const engine: unknown = backend[name];
    const claimed = engines.includes(name);
    if (engine === undefined) return claimed ? [`engine ${name} is claimed, and \`${name}\` is not there`] : [];
    if (!claimed) return [`\`${name}\` is there, and engine ${name} is not claimed`];
    return METHODS[name].flatMap((method) => missing(engine, method, `${name}.`));
  });
  const rotates = Object.values(keyTypes).some(({ operations }) => operations.includes("rotate"));
  if (rotates && typeof backend.transit?.rotate !== "function")
    problems.push("rotate is claimed, and transit.rotate is no method");
  return problems;
}

function missing(holder: unknown, method: string, prefix = ""): string[] {
  const there = typeof (holder as Readonly<Record<string, unknown>> | null)?.[method] === "function";
  return there ? [] : [`${prefix}${method} must be a method`];
}

/**
 * What a backend claims beyond what its kind can do at best, one line each. `rotate` alone may depend on how the backend
 * was opened.
 */
export function overclaims(backend: Capabilities, kind: Capabilities): string[] {
  const engines = backend.engines
    .filter((engine) => !kind.engines.includes(engine))
    .map((engine) => `engine ${engine}`);
  const features = backend.features
    .filter((token) => !kind.features.includes(token))
    .map((token) => `feature ${token}`);
  const operations = Object.entries(backend.keyTypes).flatMap(([keyType, claim]) => {
    const known: readonly TransitOperation[] =
      kind.keyTypes[keyType as keyof Capabilities["keyTypes"]]?.operations ?? [];
    return claim.operations
      .filter((operation) => operation !== "rotate" && !known.includes(operation))
      .map((operation) => `${operation} of ${keyType}`);
  });
  return [...engines, ...features, ...operations].map((what) => `it claims ${what}, which its kind does not`);
}
