import type { KeyType, TransitOperation } from "@basil/core";
import { hasMethod, invoke } from "./invoke.js";
import { must, mustRefuse } from "./must.js";
import type { Subject } from "./subject.js";

/** An operation that is not claimed is refused as such, though no key is there; and it leaves nothing behind. @internal */
export async function mustRefuseUnclaimed(
  subject: Subject,
  keyType: KeyType,
  operation: TransitOperation,
): Promise<void> {
  // Without the engine, or the one method that is optional, there is nothing to call.
  if (!hasMethod(subject, operation)) return;
  const key = subject.absentKey(keyType);
  const what = `${operation} with ${keyType}, which is not claimed`;
  await mustRefuse(what, invoke(subject, operation, key), "UNSUPPORTED", "UNSUPPORTED_ALGORITHM");
  if (operation !== "createKey" || subject.backend.capabilities.keyTypes[keyType] === undefined) return;
  const probe = await subject.backend.probe(key, subject.context());
  must(probe.state === "absent", `${what}: was refused, and left a key that probes as ${probe.state}`);
}
