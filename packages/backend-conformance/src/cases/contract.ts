import { ENGINES, KEY_TYPES, TRANSIT_OPERATIONS } from "@basil/core";
import type { Rule } from "../conformance-case.js";
import { must, mustAnswer } from "../must.js";
import type { Subject } from "../subject.js";

const group = "contract";

/** What can be seen without a key: the claims themselves, and the facets that go with them. */
export const contractRules: readonly Rule[] = [
  { group, name: "id and kind are not empty", check: names },
  { group, name: "capabilities name only engines, key types and operations there are", check: vocabulary },
  { group, name: "ranges are whole, ordered, and only where the key type takes such an input", check: ranges },
  { group, name: "an engine is there exactly when it is claimed", check: engines },
  { group, name: "rotate is there exactly when some key type claims it", check: rotate },
  { group, name: "health is told, and a backend that works is healthy", check: health },
  { group, name: "disposing of it twice is once", check: disposal },
];

async function names({ backend }: Subject): Promise<void> {
  must(typeof backend.id === "string" && backend.id !== "", "id must be a text that is not empty");
  must(
    /^[a-z0-9][a-z0-9-]*$/.test(backend.kind),
    `kind must be lower case, digits and hyphens, found "${backend.kind}"`,
  );
}

async function vocabulary({ backend }: Subject): Promise<void> {
  const { engines, keyTypes, features } = backend.capabilities;
  must(new Set(engines).size === engines.length, "capabilities.engines lists an engine twice");
  for (const engine of engines) must(ENGINES.includes(engine), `"${engine}" is no engine`);
  for (const [keyType, claimed] of Object.entries(keyTypes)) {
    must((KEY_TYPES as readonly string[]).includes(keyType), `"${keyType}" is no key type`);
    must(claimed.operations.length > 0, `${keyType} is listed without an operation; leave it out`);
    must(new Set(claimed.operations).size === claimed.operations.length, `${keyType} lists an operation twice`);
    for (const operation of claimed.operations) {
      must(TRANSIT_OPERATIONS.includes(operation), `"${operation}" of ${keyType} is no operation`);
    }
  }
  must(
    engines.includes("transit") || Object.keys(keyTypes).length === 0,
    "key types are claimed without engine transit",
  );
  must(
    features.every((feature) => typeof feature === "string"),
    "capabilities.features must be texts",
  );
}

async function ranges({ backend }: Subject): Promise<void> {
  for (const [keyType, { operations, message, plaintext }] of Object.entries(backend.capabilities.keyTypes)) {
    for (const [name, range, user] of [
      ["message", message, ["sign", "verify"]],
      ["plaintext", plaintext, ["encrypt"]],
    ] as const) {
      if (range === undefined) continue;
      const used = operations.some((operation) => (user as readonly string[]).includes(operation));
      must(used, `${keyType} has a ${name} range and none of ${user.join(", ")}`);
      const { min, max = Number.MAX_SAFE_INTEGER } = range;
      const whole = Number.isSafeInteger(min) && Number.isSafeInteger(max) && min >= 0 && max >= min;
      must(whole, `${keyType}: ${name} must be 0 ≤ min ≤ max in whole bytes, found ${min} to ${max}`);
    }
  }
}

async function engines({ backend }: Subject): Promise<void> {
  for (const engine of ENGINES) {
    const claimed = backend.capabilities.engines.includes(engine);
    const there = backend[engine] !== undefined;
    must(
      claimed === there,
      `engine ${engine} is ${claimed ? "" : "not "}claimed and \`${engine}\` is ${there ? "" : "not "}there`,
    );
  }
}

async function rotate({ backend }: Subject): Promise<void> {
  const claimed = Object.values(backend.capabilities.keyTypes).some(({ operations }) => operations.includes("rotate"));
  const there = backend.transit?.rotate !== undefined;
  must(!claimed || there, "rotate is claimed, and the engine has no such method");
  must(claimed || !there, "the engine has rotate, and no key type claims it");
}

async function health(subject: Subject): Promise<void> {
  const { healthy } = await subject.backend.health(subject.context());
  must(healthy === true, `health must be { healthy: true }, found { healthy: ${String(healthy)} }`);
}

async function disposal({ backend, shared }: Subject): Promise<void> {
  // Whoever shares a backend disposes of it.
  if (shared) return;
  for (const time of ["first", "second"]) {
    await mustAnswer(`disposing of it the ${time} time`, Promise.resolve(backend[Symbol.asyncDispose]()));
  }
}
