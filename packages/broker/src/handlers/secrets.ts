import type { KeyEntry } from "@basil/catalog";
import { type CallContext, forgetValues, type Kv2Engine, makeValues, recipePartner, writeValues } from "@basil/core";
import {
  type GetSecretRequest,
  type GetSecretResponse,
  GetSecretResponseSchema,
  type RotateSecretRequest,
  type RotateSecretResponse,
  RotateSecretResponseSchema,
  type SetSecretRequest,
  type SetSecretResponse,
  SetSecretResponseSchema,
} from "@basil/proto";
import { create } from "@bufbuild/protobuf";
import type { Call } from "../request/call.js";
import { backendOf, requireClass, requireSize, transitKey } from "../request/checks.js";

export async function getSecret({ secretId, version }: GetSecretRequest, call: Call): Promise<GetSecretResponse> {
  const entry = call.authorize("get", secretId);
  requireClass(call, entry, "value", "public");
  const kv2 = storeOf(call, entry);
  const options = version === undefined ? {} : { version };
  const found = await call.ask((context) => kv2.get(entry.path, context, options));
  call.provenance = { ...found, keyVersion: found.version };
  return create(GetSecretResponseSchema, { value: found.value, version: found.version });
}

export async function setSecret({ secretId, value }: SetSecretRequest, call: Call): Promise<SetSecretResponse> {
  const entry = call.authorize("set", secretId);
  requireSize(call, "value", value, call.services.limits.maxPayloadBytes);
  requireClass(call, entry, "value");
  return create(SetSecretResponseSchema, { version: await put(call, entry, value) });
}

/** A key gets a new version from its backend; a value is made anew by the catalog's recipe. */
export async function rotateSecret({ secretId }: RotateSecretRequest, call: Call): Promise<RotateSecretResponse> {
  const entry = call.authorize("rotate", secretId);
  requireClass(call, entry, "asymmetric", "symmetric", "value");
  const version = entry.class === "value" ? await rotateValue(call, entry) : await rotateKey(call, entry);
  call.services.probes.forget();
  call.services.events.publish({ case: "keyRotated", value: { keyId: secretId, newVersion: version } });
  return create(RotateSecretResponseSchema, { version });
}

async function rotateKey(call: Call, entry: KeyEntry): Promise<number> {
  const { ref, transit } = transitKey(call, entry);
  if (transit.rotate === undefined) throw call.fail("UNSUPPORTED", "the key's backend does not rotate");
  const rotate = transit.rotate.bind(transit);
  const result = await call.ask((context) => rotate(ref, context));
  call.provenance = result;
  return result.keyVersion;
}

/** What else the recipe writes, the other half of a TLS pair, the caller must be allowed to rotate as well. */
async function rotateValue(call: Call, entry: KeyEntry): Promise<number> {
  if (entry.generate === undefined) {
    throw call.fail("INVALID_REQUEST", `key ${entry.name} has no recipe in the catalog; set it instead`);
  }
  const { catalog } = call.generation;
  storeOf(call, entry);
  const partner = recipePartner(catalog, entry);
  if (partner !== undefined && !keepsValues(call, partner)) {
    throw call.fail("UNSUPPORTED", `the other half of ${entry.name} is kept by an engine that does not offer this`);
  }
  const options = (context: CallContext) => ({ catalog, context, storeOf: (key: KeyEntry) => storeOf(call, key) });
  const made = await call.ask((context) => makeValues(entry, options(context)));
  const others = made.filter((value) => value.entry !== entry);
  try {
    for (const other of others) call.authorize("rotate", other.entry.name);
  } catch (refused) {
    forgetValues(made);
    throw refused;
  }
  const verdicts = new Map(others.map((other, n) => [other.entry, call.verdicts.at(n - others.length)]));
  const written = await call.ask((context) => writeValues(made, options(context)));
  let version = 0;
  for (const { entry: key, ...stored } of written) {
    const provenance = { ...stored, keyVersion: stored.version };
    if (key === entry) {
      call.provenance = provenance;
      version = stored.version;
      continue;
    }
    const verdict = verdicts.get(key);
    if (verdict !== undefined) verdict.provenance = provenance;
    call.services.events.publish({ case: "keyRotated", value: { keyId: key.name, newVersion: stored.version } });
  }
  return version;
}

async function put(call: Call, entry: KeyEntry, value: Uint8Array): Promise<number> {
  const kv2 = storeOf(call, entry);
  const stored = await call.ask((context) => kv2.put(entry.path, value, context));
  call.provenance = { ...stored, keyVersion: stored.version };
  return stored.version;
}

/** @throws `UNSUPPORTED` when the entry's backend keeps no values. */
export function storeOf(call: Call, entry: KeyEntry): Kv2Engine {
  const { kv2 } = backendOf(call, entry);
  if (kv2 !== undefined && keepsValues(call, entry)) return kv2;
  throw call.fail("UNSUPPORTED", `key ${entry.name} is kept by engine ${entry.engine}, which does not offer this`);
}

function keepsValues(call: Call, entry: KeyEntry): boolean {
  return entry.engine === "kv2" && backendOf(call, entry).kv2 !== undefined;
}
