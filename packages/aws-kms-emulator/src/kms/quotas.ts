import { EmulatorError } from "../errors.js";
import { Refusal } from "../refusal.js";
import type { KeySpec } from "./key-spec.js";

/** Requests a second of each class; the rest of the default (KMS Developer Guide, "Request quotas") stays. */
export type QuotaOptions = Readonly<Record<string, number>>;

const largest = ["us-east-1", "us-west-2", "eu-west-1"];
const large = ["us-east-2", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "eu-central-1", "eu-west-2"];

function defaults(region: string): Record<string, number> {
  return {
    symmetric: largest.includes(region) ? 100_000 : large.includes(region) ? 20_000 : 10_000,
    rsa: 1000,
    ecc: 1000,
    GenerateDataKeyPair: 25,
    GenerateDataKeyPairWithoutPlaintext: 25,
    CreateKey: 5,
    CreateAlias: 5,
    UpdateAlias: 5,
    DeleteAlias: 15,
    EnableKey: 5,
    DisableKey: 5,
    ScheduleKeyDeletion: 15,
    CancelKeyDeletion: 5,
    TagResource: 10,
    UntagResource: 5,
    PutKeyPolicy: 15,
    DescribeKey: 2000,
    GetPublicKey: 2000,
    ListResourceTags: 2000,
    GetKeyPolicy: 1000,
    ListKeys: 500,
    ListAliases: 500,
    CreateGrant: 50,
    ListGrants: 100,
    RetireGrant: 30,
    RevokeGrant: 30,
    ListKeyPolicies: 100,
    UpdateKeyDescription: 5,
    GetKeyRotationStatus: 1000,
    EnableKeyRotation: 15,
    DisableKeyRotation: 5,
  };
}

const cryptographic = [
  "Encrypt",
  "Decrypt",
  "ReEncryptFrom",
  "GenerateDataKey",
  "GenerateDataKeyWithoutPlaintext",
  "GenerateRandom",
  "Sign",
  "Verify",
];

function classOf(operation: string, spec: KeySpec | undefined): string {
  if (!cryptographic.includes(operation)) return operation;
  if (spec?.startsWith("RSA")) return "rsa";
  return spec?.startsWith("ECC") ? "ecc" : "symmetric";
}

/** Request quotas: in each second of emulator time a class serves so many calls, and throttles the rest. */
export class Quotas {
  readonly #limits: Readonly<Record<string, number>>;
  readonly #used = new Map<string, { second: number; count: number }>();

  /** @param options - `true` for the defaults of the region. */
  constructor(options: QuotaOptions | boolean | undefined, region: string) {
    const known = defaults(region);
    if (typeof options === "object") {
      for (const [name, limit] of Object.entries(options)) {
        const path = `quotas.${name}`;
        if (!Object.hasOwn(known, name)) {
          throw new EmulatorError(
            "OPTION_INVALID",
            `${path}: is not a class; allowed: ${Object.keys(known).join(", ")}`,
            { path },
          );
        }
        if (!Number.isInteger(limit) || limit < 0) {
          throw new EmulatorError("OPTION_INVALID", `${path}: must be an integer of at least 0, found ${limit}`, {
            path,
          });
        }
      }
    }
    this.#limits =
      options === undefined || options === false ? {} : options === true ? known : { ...known, ...options };
  }

  /** Counts one call, or throws `ThrottlingException`. */
  take(operation: string, spec: KeySpec | undefined, now: number): void {
    const name = classOf(operation, spec);
    const limit = this.#limits[name];
    if (limit === undefined) return;
    const second = Math.floor(now / 1000);
    const used = this.#used.get(name);
    const count = used?.second === second ? used.count : 0;
    if (count >= limit) throw throttled(cryptographic.includes(operation));
    this.#used.set(name, { second, count: count + 1 });
  }
}

export function throttled(isCryptographic: boolean): Refusal {
  return new Refusal(
    "ThrottlingException",
    isCryptographic
      ? "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
      : "Rate exceeded",
  );
}
