import type { KeyEntry } from "@basil/catalog";
import {
  type CallContext,
  forgetValues,
  makeValues,
  recipePartner,
  type WrittenValue,
  within,
  writeValues,
} from "@basil/core";
import type { Call } from "../request/call.js";
import { keepsValue, storeOf } from "./value-store.js";

/** Milliseconds that a write which outlives its caller keeps other pairs waiting: a store may never answer. */
const OUTLIVED_MS = 10_000;

/**
 * Makes a value anew by its recipe. What else the recipe writes, the other half of a TLS pair, the caller must be allowed
 * to rotate as well.
 *
 * @returns The version of the value.
 */
export async function rotateValue(call: Call, entry: KeyEntry): Promise<number> {
  if (entry.generate === undefined) {
    throw call.fail("INVALID_REQUEST", `key ${entry.name} has no recipe in the catalog; set it instead`);
  }
  storeOf(call, entry);
  const partner = recipePartner(call.generation.catalog, entry);
  if (partner !== undefined && !keepsValue(call, partner)) {
    throw call.fail("UNSUPPORTED", `the other half of ${entry.name} is kept by an engine that does not offer this`);
  }
  return tell(call, entry, await (partner === undefined ? makeAnew(call, entry) : makePairAnew(call, entry)));
}

/** One pair at a time: two that are written at once would leave the key of one beside the certificate of the other. */
async function makePairAnew(call: Call, entry: KeyEntry): Promise<WrittenValue[]> {
  const turn = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  void call.services.pairs.run(() => {
    turn.resolve();
    return over.promise;
  });
  let writing: Promise<unknown> = Promise.resolve();
  try {
    await call.ask(() => turn.promise);
    return await makeAnew(call, entry, (begun) => {
      writing = begun;
    });
  } finally {
    const pending = writing;
    void within(OUTLIVED_MS, undefined, () => pending, { unref: true })
      .catch(() => undefined)
      .finally(() => over.resolve());
  }
}

async function makeAnew(
  call: Call,
  entry: KeyEntry,
  onWriting: (writing: Promise<unknown>) => void = () => {},
): Promise<WrittenValue[]> {
  const { catalog } = call.generation;
  const options = (context: CallContext) => ({ catalog, context, storeOf: (key: KeyEntry) => storeOf(call, key) });
  const made = await call.ask((context) => makeValues(entry, options(context)));
  try {
    for (const { entry: key } of made) if (key !== entry) call.authorize("rotate", key.name);
  } catch (refused) {
    forgetValues(made);
    throw refused;
  }
  return call.ask((context) => {
    const writing = writeValues(made, options(context));
    onWriting(writing);
    return writing;
  });
}

/** Records each half under its own decision. Watchers learn of `entry` from whoever asked for it. */
function tell(call: Call, entry: KeyEntry, written: readonly WrittenValue[]): number {
  let version = 0;
  for (const { entry: key, ...stored } of written) {
    const provenance = { ...stored, keyVersion: stored.version };
    if (key === entry) {
      call.provenance = provenance;
      version = stored.version;
      continue;
    }
    const verdict = call.verdicts.at(-1);
    if (verdict !== undefined) verdict.provenance = provenance;
    call.services.events.publish({ case: "keyRotated", value: { keyId: key.name, newVersion: stored.version } });
  }
  return version;
}
