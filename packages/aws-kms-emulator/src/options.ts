import type { CallLogOptions } from "./call-log.js";
import type { ContainerCredentialsOptions } from "./credentials/container.js";
import type { InstanceMetadataOptions } from "./credentials/instance-metadata.js";
import type { SsoPortalOptions } from "./credentials/sso-portal.js";
import { EmulatorError } from "./errors.js";
import type { FaultRule } from "./faults.js";
import type { OidcProviderOptions } from "./iam/oidc.js";
import type { KeyOptions } from "./keys.js";
import { isKeySpec, type KeySpec, keySpecs } from "./kms/key-spec.js";
import type { QuotaOptions } from "./kms/quotas.js";
import { checkMembers, type Members } from "./option-members.js";
import type { Place } from "./place.js";
import type { RoleOptions, UserOptions } from "./principals.js";
import type { Span } from "./span.js";

export interface PropagationOptions {
  /** How long a new key is not found. */
  readonly keyMs?: Span;
  /** How long a new alias is not found, and a moved one still points where it did. */
  readonly aliasMs?: Span;
}

export interface KmsEmulatorOptions {
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** 12 digits. Default `111122223333`. */
  readonly account?: string;
  /** Default `us-east-1`. */
  readonly region?: string;
  /** Makes ids, secrets, lags and chances the same in every run. Key material stays random. */
  readonly seed?: number;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  readonly keys?: readonly KeyOptions[];
  readonly users?: readonly UserOptions[];
  readonly roles?: readonly RoleOptions[];
  /** Instance profiles, each with one of the roles. */
  readonly instanceProfiles?: readonly { readonly name: string; readonly role: string }[];
  /** Access key of the account root user, when it should be a given one. */
  readonly rootAccessKey?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Issuers whose tokens AssumeRoleWithWebIdentity takes. */
  readonly oidcProviders?: readonly OidcProviderOptions[];
  /** Serves EC2 instance metadata, version 2, under `/latest/`. */
  readonly instanceMetadata?: InstanceMetadataOptions;
  /** Serves container credentials under `/v1/credentials`. */
  readonly containerCredentials?: ContainerCredentialsOptions;
  /** Serves GetRoleCredentials of the SSO portal. */
  readonly ssoPortal?: SsoPortalOptions;
  /** Every answer waits so long. */
  readonly latencyMs?: Span;
  readonly faults?: readonly FaultRule[];
  /** Request quotas: `true` for the defaults of the region, or requests a second by class. Default: none. */
  readonly quotas?: boolean | QuotaOptions;
  readonly propagation?: PropagationOptions;
  /** What the region does not offer: CreateKey refuses it with `UnsupportedOperationException`. Default: nothing. */
  readonly unofferedKeySpecs?: readonly KeySpec[];
  readonly callLog?: CallLogOptions;
  /** Keeps everything, private keys included, in this file (mode 0600) and starts from it when it is there. */
  readonly stateFile?: string;
}

const members: Members<KmsEmulatorOptions> = {
  host: true,
  port: true,
  account: true,
  region: true,
  seed: true,
  now: true,
  keys: true,
  users: true,
  roles: true,
  instanceProfiles: true,
  rootAccessKey: true,
  oidcProviders: true,
  instanceMetadata: true,
  containerCredentials: true,
  ssoPortal: true,
  latencyMs: true,
  faults: true,
  quotas: true,
  propagation: true,
  unofferedKeySpecs: true,
  callLog: true,
  stateFile: true,
};

/**
 * Checks the names of all options that are not handed on to a part with its own check.
 *
 * @throws {@link EmulatorError} `OPTION_INVALID`
 */
export function checkOptionNames(options: KmsEmulatorOptions): void {
  checkMembers(options, members);
  if (options.rootAccessKey !== undefined) {
    checkMembers(options.rootAccessKey, { accessKeyId: true, secretAccessKey: true }, "rootAccessKey");
  }
  if (options.propagation !== undefined) {
    checkMembers(options.propagation, { keyMs: true, aliasMs: true }, "propagation");
  }
  for (const [i, profile] of (options.instanceProfiles ?? []).entries()) {
    checkMembers(profile, { name: true, role: true }, `instanceProfiles[${i}]`);
  }
}

/** @throws {@link EmulatorError} `OPTION_INVALID` */
export function placeOf(options: KmsEmulatorOptions): Place {
  const { account = "111122223333", region = "us-east-1" } = options;
  const invalid = (path: string, allowed: string, found: string) =>
    new EmulatorError("OPTION_INVALID", `${path}: must ${allowed}, found ${JSON.stringify(found)}`, { path });
  if (!/^\d{12}$/.test(account)) throw invalid("account", "be 12 digits", account);
  if (!/^[a-z]{2}(-[a-z]+)+-\d$/.test(region)) throw invalid("region", "look like us-east-1", region);
  const partition = region.startsWith("cn-") ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
  return { partition, region, account };
}

/** @throws {@link EmulatorError} `OPTION_INVALID` */
export function unofferedOf({ unofferedKeySpecs = [] }: KmsEmulatorOptions): ReadonlySet<KeySpec> {
  for (const [i, spec] of unofferedKeySpecs.entries()) {
    if (isKeySpec(spec)) continue;
    const path = `unofferedKeySpecs[${i}]`;
    const found = JSON.stringify(spec);
    throw new EmulatorError("OPTION_INVALID", `${path}: must be one of ${keySpecs.join(", ")}, found ${found}`, {
      path,
    });
  }
  return new Set(unofferedKeySpecs);
}
