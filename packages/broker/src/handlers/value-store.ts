import type { KeyEntry } from "@basil/catalog";
import type { Kv2Engine } from "@basil/core";
import type { Call } from "../request/call.js";
import { backendOf } from "../request/checks.js";

/** Where the value of an entry is. @throws `UNSUPPORTED` when its backend keeps no values. */
export function storeOf(call: Call, entry: KeyEntry): Kv2Engine {
  const { kv2 } = backendOf(call, entry);
  if (kv2 !== undefined && keepsValue(call, entry)) return kv2;
  throw call.fail("UNSUPPORTED", `key ${entry.name} is kept by engine ${entry.engine}, which does not offer this`);
}

export function keepsValue(call: Call, entry: KeyEntry): boolean {
  return entry.engine === "kv2" && backendOf(call, entry).kv2 !== undefined;
}
