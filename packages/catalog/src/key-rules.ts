import type { KeyShape } from "./catalog-schema.js";
import type { CatalogRefusalCode } from "./errors.js";
import { durationMs, isDuration, isKeyName, PKI_ISSUE_PATH } from "./grammar.js";
import { jsonPointer } from "./json-pointer.js";
import { labelValue } from "./labels.js";
import type { RefusalList, RefusalParts } from "./refusal.js";
import { defaultEngine, KEY_TYPES_OF_CLASS, MAX_RECIPE_BYTES } from "./vocabulary.js";

/** A key entry while it is checked: the members of the right shape, and where it stands. */
export interface KeyDraft {
  readonly name: string;
  readonly pointer: string;
  readonly members: Partial<KeyShape>;
  readonly wrong: ReadonlySet<string>;
}

type Refusals = Pick<RefusalList<CatalogRefusalCode>, "add">;

/** The rules that need nothing but the entry itself, in the order in which they are told. */
export function checkKey(draft: KeyDraft, refusals: Refusals): void {
  const rule = new KeyRules(draft, refusals);
  rule.name();
  rule.description();
  rule.keyType();
  rule.generate();
  rule.engine();
  rule.jwtIssuer();
  rule.paths();
  rule.sealingPin();
}

/** What 64 bits of nanoseconds hold. */
const MAX_VALIDITY_HOURS = 2_562_047;
/** Key types that SPIFFE's JWT-SVID allows and this product signs. */
const JWT_SVID_KEY_TYPES = ["rsa-2048", "ecdsa-p256", "ecdsa-p384"];

class KeyRules {
  constructor(
    readonly draft: KeyDraft,
    readonly refusals: Refusals,
  ) {}

  name(): void {
    const { name, pointer } = this.draft;
    if (isKeyName(name)) return;
    const slip = name.toLowerCase().replaceAll("-", "_");
    this.refusals.add({
      code: "BadKeyName",
      pointer,
      problem: "not a key name",
      found: name,
      allowed: "segments of a-z, 0-9 and _ joined by single dots, each beginning with a letter or digit",
      suggestion: isKeyName(slip) ? slip : undefined,
    });
  }

  description(): void {
    const { description } = this.draft.members;
    if (description?.trim() === "") {
      this.#refuse("BlankDescription", "description", "blank", "a text that says what the key is for");
    }
  }

  keyType(): void {
    const { class: keyClass, keyType } = this.draft.members;
    if (keyClass === undefined || this.draft.wrong.has("keyType")) return;
    if (keyClass === "public") return;
    if (keyClass === "value") {
      if (keyType != null) this.#refuse("UnexpectedKeyType", "keyType", "a value key has no key type", "no keyType");
      return;
    }
    const allowed = KEY_TYPES_OF_CLASS[keyClass];
    const words = { vocabulary: allowed };
    if (keyType == null) {
      this.#refuse(
        "MissingKeyType",
        "keyType",
        `a key of class ${keyClass} needs a key type`,
        allowed.join(", "),
        words,
      );
    } else if (!allowed.includes(keyType)) {
      const code = keyClass === "sealing" ? "SealingKeyTypeNotX25519" : "KeyTypeClassMismatch";
      this.#refuse(code, "keyType", `not a key type of class ${keyClass}`, allowed.join(", "));
    }
  }

  generate(): void {
    const { class: keyClass, missing, generate } = this.draft.members;
    if (keyClass === undefined || this.draft.wrong.has("generate")) return;
    if (keyClass !== "value" && keyClass !== "public") {
      if (generate != null) {
        this.#refuse("UnexpectedGenerate", "generate", `a key of class ${keyClass} has no recipe`, "no generate");
      }
      return;
    }
    if (generate != null) this.#recipe(generate);
    else if (missing === "generate") {
      this.#refuse("GenerateWithoutRecipe", "generate", '"missing": "generate" needs a recipe', "a generate object");
    }
  }

  #recipe(recipe: NonNullable<KeyShape["generate"]>): void {
    const at = jsonPointer(this.draft.pointer, "generate");
    const refuse = (member: string, found: unknown, problem: string, allowed: string) =>
      this.refusals.add({ code: "InvalidRecipe", pointer: jsonPointer(at, member), problem, found, allowed });
    if ("bytes" in recipe && (recipe.bytes === 0 || recipe.bytes > MAX_RECIPE_BYTES)) {
      refuse("bytes", recipe.bytes, "a size no recipe makes", `from 1 to ${MAX_RECIPE_BYTES}`);
    }
    if (recipe.format !== "self-signed-tls") return;
    if (recipe.commonName.trim() === "") refuse("commonName", recipe.commonName, "blank", "a host name");
    if (!isDuration(recipe.validity)) {
      refuse("validity", recipe.validity, "not a duration", "numbers with a unit ns, us, ms, s, m or h, as in 8760h");
      return;
    }
    const seconds = durationMs(recipe.validity) / 1000;
    if (seconds < 1 || seconds > MAX_VALIDITY_HOURS * 3600) {
      const allowed = `from 1s to ${MAX_VALIDITY_HOURS}h`;
      refuse("validity", recipe.validity, "a time no certificate is valid for", allowed);
    }
  }

  engine(): void {
    const { class: keyClass, engine, keyType, path } = this.draft.members;
    if (keyClass === "asymmetric" && engine === "kv2" && keyType != null && keyType !== "ed25519") {
      this.#refuse("Kv2SigningKeyTypeNotEd25519", "keyType", "a signing key kept in kv2 is ed25519", "ed25519");
    }
    if (engine !== "pki") return;
    if (keyClass !== undefined && keyClass !== "asymmetric") {
      this.#refuse("InvalidPkiPath", "engine", `a key of class ${keyClass} is not issued by pki`, "transit, kv2");
    } else if (path !== undefined && !PKI_ISSUE_PATH.test(path)) {
      this.#refuse("InvalidPkiPath", "path", "not an issue path", "<mount>/issue/<role>, the mount beginning with pki");
    }
  }

  jwtIssuer(): void {
    const { labels, keyType } = this.draft.members;
    if (labels === undefined || keyType == null || labelValue(labels, "svid_kind") !== "jwt") return;
    if (JWT_SVID_KEY_TYPES.includes(keyType)) return;
    const allowed = JWT_SVID_KEY_TYPES.join(", ");
    this.#refuse("NonSpiffeJwtSvidAlg", "keyType", "not a key type of a JWT-SVID issuer", allowed);
  }

  paths(): void {
    const { class: keyClass, path, publicPath, engine } = this.draft.members;
    if (path?.trim() === "") this.#refuse("BlankPath", "path", "blank", "where the backend keeps the key");
    if (keyClass === undefined || this.draft.wrong.has("engine") || this.draft.wrong.has("publicPath")) return;
    if (isMaterialized(keyClass, engine ?? defaultEngine(keyClass))) {
      if (publicPath == null || publicPath.trim() === "") {
        this.#refuse("MissingPublicPath", "publicPath", "the public half needs a place", "a path that is not blank");
      } else if (publicPath === path) {
        this.#refuse("DuplicatePath", "publicPath", "the same place as the private half", "another path than `path`");
      }
    } else if (publicPath != null) {
      const allowed = "publicPath only on class sealing, and on class asymmetric with engine kv2";
      this.#refuse("UnexpectedPublicPath", "publicPath", "the backend keeps the public half itself", allowed);
    }
  }

  sealingPin(): void {
    const { class: keyClass, sealingPin } = this.draft.members;
    if (sealingPin == null || keyClass === undefined) return;
    const at = jsonPointer(this.draft.pointer, "sealingPin");
    if (keyClass !== "sealing") {
      this.#refuse("UnexpectedSealingPin", "sealingPin", `a key of class ${keyClass} opens nothing`, "no sealingPin");
    } else if (sealingPin.parties == null && sealingPin.externalAad.length === 0) {
      this.#refuse("EmptySealingPin", "sealingPin", "pins nothing", "parties, a non-empty externalAad, or both");
    }
    for (const slot of ["partyU", "partyV"] as const) {
      if (sealingPin.parties?.[slot] !== "") continue;
      this.refusals.add({
        code: "EmptyPinnedPartyIdentity",
        pointer: jsonPointer(at, "parties", slot),
        problem: "an empty identity",
        found: "",
        allowed: "an identity, or no member for the nil identity",
      });
    }
  }

  #refuse(
    code: CatalogRefusalCode,
    member: keyof KeyShape,
    problem: string,
    allowed: string,
    more: Partial<RefusalParts<CatalogRefusalCode>> = {},
  ): void {
    const pointer = jsonPointer(this.draft.pointer, member);
    this.refusals.add({ code, pointer, problem, found: this.draft.members[member] ?? undefined, allowed, ...more });
  }
}

/** Keys whose private half is read into memory to be used: sealing keys, and signing keys kept in kv2. */
export function isMaterialized(keyClass: KeyShape["class"], engine: string): boolean {
  return keyClass === "sealing" || (keyClass === "asymmetric" && engine === "kv2");
}
