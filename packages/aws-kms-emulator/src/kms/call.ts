import type { CallNote } from "../call-record.js";
import { accessDenied, decide } from "../iam/authorize.js";
import type { Caller } from "../iam/caller.js";
import { callerContext, type RequestFacts } from "../iam/caller-context.js";
import type { Directory } from "../iam/directory.js";
import type { AccessRequest } from "../iam/evaluate.js";
import type { Place } from "../place.js";
import type { RandomSource } from "../random.js";
import { type GrantedRequest, isGranted } from "./grant.js";
import type { KmsKey } from "./key.js";
import { keyContext } from "./key-context.js";
import type { KeySpec } from "./key-spec.js";
import type { KeyStore } from "./key-store.js";
import type { Quotas } from "./quotas.js";

/** How long a change stays unseen by the next caller, in milliseconds. */
export interface Propagation {
  keyLag(): number;
  aliasLag(): number;
}

export type ContextEntries = Readonly<Record<string, readonly string[] | undefined>>;

export type AuthorizedResource =
  | { readonly kind: "key"; readonly key: KmsKey }
  | { readonly kind: "alias"; readonly arn: string }
  /** `unnamed`: the denial does not print `on resource: *`. */
  | { readonly kind: "any"; readonly unnamed?: true };

export interface KmsCallParts {
  readonly caller: Caller;
  readonly facts: RequestFacts;
  readonly store: KeyStore;
  readonly directory: Directory;
  readonly place: Place;
  readonly random: RandomSource;
  readonly propagation: Propagation;
  readonly quotas: Quotas;
  readonly unoffered: ReadonlySet<KeySpec>;
  readonly note: CallNote;
}

/** Everything an operation needs to know of the request it serves. */
export class KmsCall {
  readonly caller: Caller;
  readonly store: KeyStore;
  /** Users and roles that policies and grants may name. */
  readonly directory: Directory;
  readonly place: Place;
  readonly random: RandomSource;
  readonly propagation: Propagation;
  /** What the region does not offer. */
  readonly unoffered: ReadonlySet<KeySpec>;
  readonly note: CallNote;
  readonly now: number;
  readonly #facts: RequestFacts;
  readonly #quotas: Quotas;

  constructor(parts: KmsCallParts) {
    this.caller = parts.caller;
    this.store = parts.store;
    this.directory = parts.directory;
    this.place = parts.place;
    this.random = parts.random;
    this.propagation = parts.propagation;
    this.unoffered = parts.unoffered;
    this.note = parts.note;
    this.now = parts.facts.now;
    this.#facts = parts.facts;
    this.#quotas = parts.quotas;
  }

  /** One action of this request on one resource, as policies see it. */
  request(
    operation: string,
    resource: string,
    context: AccessRequest["context"] = () => this.#context(undefined, {}),
  ): AccessRequest {
    return {
      action: `kms:${operation}`,
      resource,
      context,
      unknownKey: (name) => this.note.unknownConditionKeys.add(name),
    };
  }

  /** Condition keys of this request on one resource; `extra` are those of the operation, lower-case names. */
  #context(key: KmsKey | undefined, extra: ContextEntries): ReadonlyMap<string, readonly string[]> {
    const context = callerContext(this.caller, this.#facts);
    if (key !== undefined) keyContext(context, key, this.store, this.caller);
    for (const [name, values] of Object.entries(extra)) if (values !== undefined) context.set(name, values);
    return context;
  }

  /** Writes the decision down; a denial is thrown as `AccessDeniedException` in the service's words. */
  authorize(
    operation: string,
    resource: AuthorizedResource,
    extra: ContextEntries = {},
    granted: GrantedRequest = {},
  ): void {
    const action = `kms:${operation}`;
    const first = this.note.checks.length === 0;
    const key = resource.kind === "key" ? resource.key : undefined;
    const arn = resource.kind === "key" ? resource.key.arn : resource.kind === "alias" ? resource.arn : "*";
    if (first) this.#quotas.take(operation, key?.spec, this.now);
    let context: ReadonlyMap<string, readonly string[]> | undefined;
    const decision = decide(
      this.caller,
      this.request(operation, arn, () => {
        // KMS condition keys speak of keys only: on an alias resource none of them is present.
        context ??= this.#context(key, resource.kind === "alias" ? {} : extra);
        return context;
      }),
      {
        policy: key && { kind: "key", document: key.policy },
        account: this.place.account,
        granted: key !== undefined && isGranted(key.grants.values(), this.caller, operation, granted),
      },
      this.place,
    );
    if (decision.allowed) {
      this.note.checks.push({ action, resource: arn, decision: "allow" });
      return;
    }
    this.note.checks.push({ action, resource: arn, decision: "deny", reason: decision.reason });
    throw accessDenied(
      this.caller,
      action,
      resource.kind === "any" && resource.unnamed ? undefined : arn,
      decision.reason,
    );
  }
}
