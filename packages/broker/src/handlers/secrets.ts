import type { KeyEntry } from "@basil/catalog";
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
import { requireClass, requireSize, transitKey } from "../request/checks.js";
import { rotateValue } from "./rotate-value.js";
import { storeOf } from "./value-store.js";

export async function getSecret({ secretId, version }: GetSecretRequest, call: Call): Promise<GetSecretResponse> {
  const entry = call.authorize("get", secretId);
  requireClass(call, entry, "value", "public");
  const kv2 = storeOf(call, entry);
  const options = version === undefined ? {} : { version };
  const {
    value,
    version: keyVersion,
    ...rest
  } = await call.ask(
    (context) => kv2.get(entry.path, context, options),
    (late) => late.value.fill(0),
  );
  call.provenance = { keyVersion, ...rest };
  return create(GetSecretResponseSchema, { value, version: keyVersion });
}

export async function setSecret({ secretId, value }: SetSecretRequest, call: Call): Promise<SetSecretResponse> {
  const entry = call.authorize("set", secretId);
  requireSize(call, "value", value, call.services.limits.maxPayloadBytes);
  requireClass(call, entry, "value");
  const version = await put(call, entry, value);
  call.services.probes.changed(entry);
  return create(SetSecretResponseSchema, { version });
}

/** A key gets a new version from its backend; a value is made anew by the catalog's recipe. */
export async function rotateSecret({ secretId }: RotateSecretRequest, call: Call): Promise<RotateSecretResponse> {
  const entry = call.authorize("rotate", secretId);
  requireClass(call, entry, "asymmetric", "symmetric", "value");
  const version = entry.class === "value" ? await rotateValue(call, entry) : await rotateKey(call, entry);
  call.services.probes.changed(entry);
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

async function put(call: Call, entry: KeyEntry, value: Uint8Array): Promise<number> {
  const kv2 = storeOf(call, entry);
  const stored = await call.ask((context) => kv2.put(entry.path, value, context));
  call.provenance = { ...stored, keyVersion: stored.version };
  return stored.version;
}
