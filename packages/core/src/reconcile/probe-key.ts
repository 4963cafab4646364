import type { KeyEntry } from "@basil/catalog";
import type { Backend, KeyProbe } from "../backend.js";
import type { CallContext } from "../call-context.js";
import { servingEngine } from "../capability/class-needs.js";
import { BackendError } from "../errors.js";
import { keyRef } from "../key-ref.js";

/**
 * Whether the backend holds the key, and can serve it: one metadata call, two for a key with a public half of its own.
 *
 * @throws {@link BackendError} as `Backend.probe`; `UNSUPPORTED` or `UNSUPPORTED_ALGORITHM`, before any call, for an
 *   engine or key type that the backend does not offer.
 */
export async function probeKey(entry: KeyEntry, backend: Backend, context: CallContext): Promise<KeyProbe> {
  if (servingEngine(entry) === "kv2") return probeValue(entry, backend, context);
  requireOffered(entry, backend);
  const ref = keyRef(entry);
  const probe = await backend.probe(ref, context);
  if (probe.state !== "present" || probe.keyType === undefined) return probe;
  if (probe.keyType === entry.keyType) return probe;
  // A backend holds an NKey as the Ed25519 key it is.
  if (probe.keyType === "ed25519" && entry.keyType === "ed25519-nkey") return probe;
  const reason = `it holds a key of type ${probe.keyType}, the catalog says ${ref.keyType}`;
  return { state: "unusable", reason, resource: probe.resource };
}

/** For keys that are kept as values and read to be used: values, public values, sealing keys, signing keys in kv2. */
async function probeValue(entry: KeyEntry, { kv2, id }: Backend, context: CallContext): Promise<KeyProbe> {
  if (kv2 === undefined) throw notOffered(entry, id, "kv2");
  const probe = await kv2.probe(entry.path, context);
  if (probe.state !== "present" || entry.publicPath === undefined) return probe;
  const publicHalf = await kv2.probe(entry.publicPath, context);
  return publicHalf.state === "present" ? probe : publicHalf;
}

function requireOffered(entry: KeyEntry, { id, kind, capabilities, transit, pki }: Backend): void {
  const engine = entry.engine === "pki" ? pki : transit;
  if (engine === undefined) throw notOffered(entry, id, entry.engine === "pki" ? "pki" : "transit");
  if (entry.engine === "pki" || entry.keyType === undefined) return;
  if (capabilities.keyTypes[entry.keyType] !== undefined) return;
  const offered = Object.keys(capabilities.keyTypes).join(", ") || "none";
  throw new BackendError(
    "UNSUPPORTED_ALGORITHM",
    `key type ${entry.keyType} is not one that kind "${kind}" backs; it backs: ${offered}`,
    { keyType: entry.keyType },
  );
}

function notOffered(entry: KeyEntry, backend: string, engine: string): BackendError {
  return new BackendError(
    "UNSUPPORTED",
    `a key of class ${entry.class} needs the engine ${engine}, which backend "${backend}" does not have`,
    { operation: "probe" },
  );
}
