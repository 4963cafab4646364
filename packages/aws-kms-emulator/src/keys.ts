import type { Clock } from "./clock.js";
import { EmulatorError } from "./errors.js";
import { type PolicyInput, parsePolicyDocument } from "./iam/policy-document.js";
import { checkPrincipals } from "./iam/principal.js";
import { type KeyState, type KmsKey, keyStates } from "./kms/key.js";
import { isKeyId, parseKeyReference } from "./kms/key-id.js";
import { generateMaterial, importMaterial, type MaterialInput } from "./kms/key-material.js";
import { defaultKeyPolicy } from "./kms/key-policy.js";
import { algorithmsOf, isKeySpec, type KeySpec, type KeyUsage, keySpecs } from "./kms/key-spec.js";
import type { KeyStore } from "./kms/key-store.js";
import { newKeyId, newMaterialId } from "./kms/new-key-id.js";
import { checkMembers, type Members } from "./option-members.js";
import { kmsArn, type Place } from "./place.js";
import type { RandomSource } from "./random.js";
import { isRefusal } from "./refusal.js";

export interface KeyOptions {
  readonly spec: KeySpec;
  /** Default: ENCRYPT_DECRYPT for SYMMETRIC_DEFAULT, GENERATE_VERIFY_MAC for HMAC_256, SIGN_VERIFY otherwise. */
  readonly usage?: KeyUsage;
  /** A UUID, `mrk-` and 32 hex digits, or a key ARN of the emulator's account and region. Default: random. */
  readonly id?: string;
  /** `alias/…` names that point at the key. */
  readonly aliases?: readonly string[];
  readonly description?: string;
  /** Default: the account's identity policies decide. */
  readonly policy?: PolicyInput;
  readonly tags?: Readonly<Record<string, string>>;
  /** Default: whether `id` is an `mrk-` one. */
  readonly multiRegion?: boolean;
  readonly state?: KeyState;
  readonly material?: MaterialInput;
}

const keyMembers: Members<KeyOptions> = {
  spec: true,
  usage: true,
  id: true,
  aliases: true,
  description: true,
  policy: true,
  tags: true,
  multiRegion: true,
  state: true,
  material: true,
};

export interface KeyHandle {
  readonly id: string;
  readonly arn: string;
}

const defaultUsage: Partial<Record<KeySpec, KeyUsage>> = {
  SYMMETRIC_DEFAULT: "ENCRYPT_DECRYPT",
  HMAC_256: "GENERATE_VERIFY_MAC",
};

function invalid(path: string, message: string, found: unknown): EmulatorError {
  return new EmulatorError("OPTION_INVALID", `${path}: ${message}, found ${JSON.stringify(found)}`, { path });
}

/** Keys and aliases of the account, changed at once and without any permission: the hand of the test, not a caller. */
export class Keys {
  readonly #store: KeyStore;
  readonly #place: Place;
  readonly #random: RandomSource;
  readonly #clock: Clock;
  readonly #changed: () => void;

  constructor(parts: { store: KeyStore; place: Place; random: RandomSource; clock: Clock; changed: () => void }) {
    this.#store = parts.store;
    this.#place = parts.place;
    this.#random = parts.random;
    this.#clock = parts.clock;
    this.#changed = parts.changed;
  }

  /**
   * Makes a key, with a given id and material if wanted.
   *
   * @throws {@link EmulatorError} `OPTION_INVALID`, `ALREADY_EXISTS`, `POLICY_MALFORMED`.
   */
  async create(options: KeyOptions): Promise<KeyHandle> {
    checkMembers(options, keyMembers);
    const { spec } = options;
    if (!isKeySpec(spec)) throw invalid("spec", `must be one of ${keySpecs.join(", ")}`, spec);
    const usage = options.usage ?? defaultUsage[spec] ?? "SIGN_VERIFY";
    if (algorithmsOf(spec, usage) === undefined) throw invalid("usage", `is not legal for ${spec}`, usage);
    const state = options.state ?? "Enabled";
    if (!keyStates.includes(state)) throw invalid("state", `must be one of ${keyStates.join(", ")}`, state);
    const id =
      options.id === undefined ? newKeyId(this.#random, options.multiRegion === true) : this.#keyId(options.id);
    const multiRegion = options.multiRegion ?? id.startsWith("mrk-");
    if (multiRegion !== id.startsWith("mrk-"))
      throw invalid("id", `must ${multiRegion ? "" : "not "}start with mrk-`, id);
    const aliases = options.aliases ?? [];
    for (const name of aliases) this.#checkAlias(name);
    const now = this.#clock.now();
    const key: KmsKey = {
      id,
      arn: kmsArn(this.#place, `key/${id}`),
      account: this.#place.account,
      region: this.#place.region,
      spec,
      usage,
      multiRegion,
      description: options.description ?? "",
      createdAt: now,
      visibleAt: now,
      material:
        options.material === undefined
          ? await generateMaterial(spec)
          : importMaterial(spec, options.material, "material"),
      materialId: newMaterialId(this.#random),
      tags: new Map(Object.entries(options.tags ?? {})),
      grants: new Map(),
      policy:
        options.policy === undefined
          ? defaultKeyPolicy(this.#place)
          : checkPrincipals(parsePolicyDocument(options.policy, "key"), this.#place),
      rotation: undefined,
      state,
      deleteAt: state === "PendingDeletion" ? now + 30 * 86_400_000 : undefined,
    };
    if (this.#store.keys.has(id)) throw new EmulatorError("ALREADY_EXISTS", `key ${id} exists already`, { name: id });
    this.#store.add(key);
    for (const name of aliases) this.setAlias(name, id);
    this.#changed();
    return { id, arn: key.arn };
  }

  /** Points an alias at a key, making it if it is new. */
  setAlias(name: string, keyId: string): void {
    if (!this.#store.keys.has(keyId)) throw new EmulatorError("NOT_FOUND", `no key ${keyId}`, { name: keyId });
    const alias = this.#store.aliases.get(name);
    const now = this.#clock.now();
    if (alias !== undefined) {
      this.#store.moveAlias(alias, keyId);
      alias.updatedAt = now;
      alias.previous = undefined;
    } else {
      this.#checkAlias(name);
      const arn = kmsArn(this.#place, name);
      this.#store.addAlias({
        name,
        arn,
        createdAt: now,
        visibleAt: now,
        updatedAt: now,
        targetId: keyId,
        previous: undefined,
      });
    }
    this.#changed();
  }

  /** Takes an alias away; nothing happens when there is none of that name. */
  removeAlias(name: string): void {
    const alias = this.#store.aliases.get(name);
    if (alias !== undefined) this.#store.removeAlias(alias);
    this.#changed();
  }

  /** Puts a key into any state, those that no operation reaches included. */
  setState(keyId: string, state: KeyState): void {
    const key = this.#store.keys.get(keyId);
    if (key === undefined) throw new EmulatorError("NOT_FOUND", `no key ${keyId}`, { name: keyId });
    if (!keyStates.includes(state)) throw invalid("state", `must be one of ${keyStates.join(", ")}`, state);
    key.state = state;
    key.deleteAt = state === "PendingDeletion" ? this.#clock.now() + 30 * 86_400_000 : undefined;
    if (key.deleteAt !== undefined) this.#store.scheduleDeletion(key.deleteAt);
    this.#changed();
  }

  /** Every key, in the order of creation. */
  list(): readonly (KeyHandle & {
    readonly spec: KeySpec;
    readonly state: KeyState;
    readonly aliases: readonly string[];
  })[] {
    return [...this.#store.keys.values()].map(({ id, arn, spec, state }) => ({
      id,
      arn,
      spec,
      state,
      aliases: this.#store.aliasesOf(id),
    }));
  }

  #keyId(given: string): string {
    if (isKeyId(given)) return given;
    try {
      const reference = parseKeyReference(given, this.#place);
      if (reference.form === "key" && reference.local) return reference.id;
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    throw invalid(
      "id",
      `must be a UUID, mrk- and 32 hex digits, or a key ARN that starts with ${kmsArn(this.#place, "key/")}`,
      given,
    );
  }

  #checkAlias(name: string): void {
    if (!/^alias\/[a-zA-Z0-9/_-]{1,250}$/.test(name) || name.startsWith("alias/aws/")) {
      throw invalid("aliases", "must be alias/ and 1 to 250 of A-Z a-z 0-9 / _ -, and not alias/aws/", name);
    }
    if (this.#store.aliases.has(name)) throw new EmulatorError("ALREADY_EXISTS", `${name} exists already`, { name });
  }
}
