import type { CatalogRefusalCode } from "./errors.js";
import { jsonPointer } from "./json-pointer.js";
import type { KeyDraft } from "./key-rules.js";
import type { RefusalList } from "./refusal.js";
import { defaultEngine } from "./vocabulary.js";

type Refusals = Pick<RefusalList<CatalogRefusalCode>, "add" | "full">;

/** The rules that hold a key against the rest of the document. `backends` is undefined when there is no such map. */
export function checkReferences(
  drafts: readonly KeyDraft[],
  backends: ReadonlySet<string> | undefined,
  refusals: Refusals,
): void {
  const byName = new Map(drafts.map((draft) => [draft.name, draft]));
  const places = new Map<string, string>();
  for (const draft of drafts) {
    if (refusals.full) return;
    if (backends !== undefined) checkBackend(draft, backends, refusals);
    checkPair(draft, byName, refusals);
    checkPlace(draft, places, refusals);
  }
}

function checkBackend({ members, pointer }: KeyDraft, backends: ReadonlySet<string>, refusals: Refusals): void {
  if (members.backend === undefined || backends.has(members.backend)) return;
  refusals.add({
    code: "UnknownBackend",
    pointer: jsonPointer(pointer, "backend"),
    problem: "no such backend in this document",
    found: members.backend,
    allowed: backends.size === 0 ? "a name in backends, which is empty" : listNames(backends),
    vocabulary: backends,
  });
}

function listNames(names: ReadonlySet<string>): string {
  const shown: string[] = [];
  for (const name of names) {
    if (shown.length === 20) break;
    shown.push(JSON.stringify(name));
  }
  return names.size > shown.length ? `${shown.join(", ")}, …` : shown.join(", ");
}

function checkPair({ members, pointer }: KeyDraft, byName: ReadonlyMap<string, KeyDraft>, refusals: Refusals): void {
  if (members.generate?.format !== "self-signed-tls-pair-of") return;
  const { pairOf } = members.generate;
  const certificate = byName.get(pairOf);
  if (certificate?.wrong.has("generate") || certificate?.members.generate?.format === "self-signed-tls") return;
  refusals.add({
    code: "UnknownPairOf",
    pointer: jsonPointer(pointer, "generate", "pairOf"),
    problem: certificate === undefined ? "no such key in this document" : "that key has no self-signed-tls recipe",
    found: pairOf,
    allowed: "the name of a key whose recipe is self-signed-tls",
    vocabulary: byName.keys(),
  });
}

/** A pki path is a role to ask, not a place: any number of keys may share one. */
function checkPlace({ name, members, pointer }: KeyDraft, places: Map<string, string>, refusals: Refusals): void {
  const { backend, path, class: keyClass } = members;
  if (backend === undefined || keyClass === undefined || path === undefined || path.trim() === "") return;
  const engine = members.engine ?? defaultEngine(keyClass);
  if (engine === "pki") return;
  const place = JSON.stringify([backend, engine, path]);
  const other = places.get(place);
  if (other === undefined) {
    places.set(place, name);
    return;
  }
  refusals.add({
    code: "DuplicatePath",
    pointer: jsonPointer(pointer, "path"),
    problem: `the key ${other} is kept at the same place`,
    found: path,
    allowed: "a path of its own on each backend and engine",
  });
}
