import { type BackendEntry, type Catalog, jsonPointer, type KeyEntry } from "@basil/catalog";
import type { Policy } from "./policy.js";

/** The two documents that are served together. */
export interface DocumentPair {
  readonly catalog: Catalog;
  readonly policy: Policy;
}

/** One member of a document that is not what it was. */
export interface DocumentChange {
  readonly document: "catalog" | "policy";
  /** JSON pointer (RFC 6901) to the member, in the document that has it. */
  readonly pointer: string;
  /** The member's name in the format: `path`, `mintKeyTypes`, `rules`; `keys` or `backends` for an entry that comes or goes. */
  readonly field: string;
  readonly change: "added" | "removed" | "changed";
}

export interface ReloadReport {
  /** True when nothing needs a restart. */
  readonly accepted: boolean;
  /** Changes of the routing shape: which backends there are, and which key is where. */
  readonly restart: readonly DocumentChange[];
  /** Changes that the next request sees. */
  readonly live: readonly DocumentChange[];
}

const RESTART_BACKEND_FIELDS = ["kind", "addr", "engines", "capabilities", "requires"] as const;
const LIVE_BACKEND_FIELDS = ["mintKeyTypes"] as const;
const RESTART_KEY_FIELDS = ["class", "keyType", "backend", "engine", "path", "publicPath"] as const;
const LIVE_KEY_FIELDS = ["writable", "missing", "generate", "sealingPin", "labels", "description"] as const;
const POLICY_FIELDS = ["subjects", "unauthenticatedSubject", "roles", "rules", "config"] as const;

/**
 * What may change while the documents are served, and what needs a restart. Backends and keys may not come, go or move, since adapters
 * are opened and keys reconciled at start; lists are compared in order, and an engine as it is written. Everything else is
 * live, the whole policy included, where a request reads its catalog and its policy from one generation.
 */
export function classifyReload(before: DocumentPair, after: DocumentPair): ReloadReport {
  const restart: DocumentChange[] = [];
  const live: DocumentChange[] = [];
  compareMaps("/backends", before.catalog.backends, after.catalog.backends, restart, (pointer, was, is) => {
    compareFields(pointer, RESTART_BACKEND_FIELDS, was, is, restart);
    compareFields(pointer, LIVE_BACKEND_FIELDS, was, is, live);
  });
  compareMaps("/keys", before.catalog.keys, after.catalog.keys, restart, (pointer, was, is) => {
    compareFields(pointer, RESTART_KEY_FIELDS, asWritten(was), asWritten(is), restart);
    compareFields(pointer, LIVE_KEY_FIELDS, was, is, live);
  });
  for (const field of POLICY_FIELDS) {
    if (plain(before.policy[field]) === plain(after.policy[field])) continue;
    live.push({ document: "policy", pointer: jsonPointer("", field), field, change: "changed" });
  }
  return { accepted: restart.length === 0, restart, live };
}

/** The entry with its engine as the document has it, which may be none. */
function asWritten({ engine: _effective, engineAsWritten, ...entry }: KeyEntry) {
  return { ...entry, engine: engineAsWritten };
}

function compareMaps<Entry extends BackendEntry | KeyEntry>(
  at: "/backends" | "/keys",
  before: ReadonlyMap<string, Entry>,
  after: ReadonlyMap<string, Entry>,
  restart: DocumentChange[],
  compare: (pointer: string, was: Entry, is: Entry) => void,
): void {
  const field = at.slice(1);
  for (const [name, was] of before) {
    const is = after.get(name);
    const pointer = jsonPointer(at, name);
    if (is === undefined) restart.push({ document: "catalog", pointer, field, change: "removed" });
    else compare(pointer, was, is);
  }
  for (const name of after.keys()) {
    if (before.has(name)) continue;
    restart.push({ document: "catalog", pointer: jsonPointer(at, name), field, change: "added" });
  }
}

function compareFields<Entry extends object>(
  pointer: string,
  fields: readonly (keyof Entry & string)[],
  was: Entry,
  is: Entry,
  changes: DocumentChange[],
): void {
  for (const field of fields) {
    if (plain(was[field]) === plain(is[field])) continue;
    const change = was[field] === undefined ? "added" : is[field] === undefined ? "removed" : "changed";
    changes.push({ document: "catalog", pointer: jsonPointer(pointer, field), field, change });
  }
}

/** A text that is equal exactly for equal values; maps keep their order, which the loaders make canonical. */
function plain(value: unknown): string {
  return JSON.stringify(value, (_name, part) => (part instanceof Map ? [...part] : part)) ?? "absent";
}

/** How much a policy grants, as a reload reports it: the sum over rules of operations × targets, whoever they are for. */
export function grantCount(policy: Policy): number {
  return policy.rules.reduce((sum, { operations, targets }) => sum + operations.size * targets.length, 0);
}
