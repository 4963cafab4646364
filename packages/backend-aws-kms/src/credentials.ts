import { fromTemporaryCredentials } from "@aws-sdk/credential-providers";
import { type BackendLogger, within } from "@basil/core";
import { CredentialSourceError, isTransientSourceFailure } from "./credential-error.js";
import { credentialProvider } from "./credential-provider.js";
import { defaultChain, profileCredentials } from "./default-chain.js";

/** Which AWS identity is used. With none of these it is the one of the SDK's default chain. */
export interface CredentialSource {
  readonly region?: string;
  readonly profile?: string;
  readonly roleArn?: string;
  readonly externalId?: string;
  readonly sessionName?: string;
  /** In place of the SDK's chain. */
  readonly credentials?: () => Promise<AwsCredentials>;
  /** The catalog's name of the backend, for the log. */
  readonly id?: string;
  /** Logs the identity in use at its first use, and again when its source changes. */
  readonly logger?: BackendLogger;
}

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

type Provider = (properties?: never) => Promise<AwsCredentials>;

/** Credentials that expire are resolved again when less than this is left, as the SDK does. */
const REFRESH_BEFORE_MS = 5 * 60 * 1000;
/** How long their source may take. Some sources, such as a process or STS behind a firewall, have no limit of their own. */
const ANSWER_MS = 18_000;
/** And while there are credentials that still serve. */
const REFRESH_ANSWER_MS = 3000;
/** How long those are served after their source gave no others. */
const REFRESH_AGAIN_MS = 10_000;
/** After AWS refused the credentials, their source is asked again at most this often. */
const RENEW_INTERVAL_MS = 1000;
const DEFAULT_SESSION_NAME = "basil";

/**
 * Credentials from their source, kept until shortly before they expire or until AWS refuses them. So a key that was
 * rotated in the profile, or a role session renewed outside, is picked up without a restart.
 */
export class CredentialStore {
  readonly #source: CredentialSource;
  readonly #open: (source: CredentialSource) => Provider;
  readonly #now: () => number;
  #provider: Provider;
  #current: AwsCredentials | undefined;
  #pending: Promise<AwsCredentials> | undefined;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #loggedSource: string | undefined;
  #refreshFailedAt = Number.NEGATIVE_INFINITY;

  constructor(
    source: CredentialSource,
    open: (source: CredentialSource) => Provider = openSource,
    now: () => number = Date.now,
  ) {
    this.#source = source;
    this.#open = open;
    this.#now = now;
    this.#provider = open(source);
  }

  /** @throws an error named `CredentialsProviderError` whose message says what the operator has to do. */
  async resolve(): Promise<AwsCredentials> {
    const current = this.#current;
    if (current !== undefined && this.#lastsFor(REFRESH_BEFORE_MS, current)) return current;
    const serves = current !== undefined && this.#lastsFor(0, current);
    if (serves && this.#now() - this.#refreshFailedAt < REFRESH_AGAIN_MS) return current;
    this.#pending ??= this.#ask(serves ? REFRESH_ANSWER_MS : ANSWER_MS)
      .then((credentials) => {
        this.#current = credentials;
        this.#logSource(credentials);
        return credentials;
      })
      .catch((failure: unknown) => {
        // A chain remembers which of its links failed; the next call starts a fresh one.
        this.#provider = this.#open(this.#source);
        // Still good for its last minutes.
        if (this.#current && this.#lastsFor(0, this.#current)) {
          this.#refreshFailedAt = this.#now();
          return this.#current;
        }
        throw credentialFailure(failure, this.#source);
      })
      .finally(() => {
        this.#pending = undefined;
      });
    return this.#pending;
  }

  /** The source, for as long as it is waited for: what never answers must not be waited for by every later call. */
  #ask(limitMs: number): Promise<AwsCredentials> {
    const late = () => new Error(`no answer within ${limitMs / 1000} s`);
    return within(limitMs, undefined, () => this.#provider(), { late, unref: true });
  }

  #logSource(credentials: AwsCredentials): void {
    const { id, logger, profile, roleArn, credentials: given } = this.#source;
    const chain = given === undefined ? "the default AWS chain" : "the program";
    const from = profile === undefined ? chain : `profile "${profile}"`;
    const source = `${from} (${credentialProvider(credentials) ?? "provider unknown"})`;
    if (source === this.#loggedSource) return;
    this.#loggedSource = source;
    const role = roleArn === undefined ? {} : { role: roleArn };
    logger?.info({ backend: id, source, ...role, accessKeyId: credentials.accessKeyId }, "AWS credentials in use");
  }

  #lastsFor(milliseconds: number, { expiration }: AwsCredentials): boolean {
    return expiration === undefined || expiration.getTime() - this.#now() > milliseconds;
  }

  /**
   * AWS refused these credentials: the next `resolve` goes to the source again.
   *
   * @returns whether trying again makes sense: false within a second of the last time.
   */
  renew(refused: AwsCredentials | undefined): boolean {
    // Another call was refused too and has renewed them already.
    if (refused && this.#current !== refused) return true;
    if (this.#now() - this.#renewedAt < RENEW_INTERVAL_MS) return false;
    this.#renewedAt = this.#now();
    this.#current = undefined;
    this.#provider = this.#open(this.#source);
    return true;
  }

  get current(): AwsCredentials | undefined {
    return this.#current;
  }
}

function openSource({ region, profile, credentials, roleArn, externalId, sessionName }: CredentialSource): Provider {
  const clientConfig = region === undefined ? {} : { clientConfig: { region } };
  // A profile that is named is used or fails: the chain would go on to the identity of the host instead.
  const base =
    credentials ??
    (profile === undefined
      ? () => defaultChain(clientConfig)
      : () => profileCredentials(profile, `AWS profile "${profile}"`, clientConfig));
  if (roleArn === undefined) return () => base();
  const assumed = fromTemporaryCredentials({
    masterCredentials: base,
    params: {
      RoleArn: roleArn,
      RoleSessionName: sessionName ?? DEFAULT_SESSION_NAME,
      ...(externalId !== undefined && { ExternalId: externalId }),
    },
    ...clientConfig,
  });
  return () => assumed();
}

/** Adds the role that was to be assumed; a failure that names its source and remedy keeps them. */
function credentialFailure(failure: unknown, { profile, credentials, roleArn }: CredentialSource): Error {
  if (failure instanceof CredentialSourceError) return failure;
  const text = failure instanceof Error ? failure.message : String(failure);
  const chain = credentials === undefined ? "the default AWS credential chain" : "the source of credentials given";
  const source = profile === undefined ? chain : `AWS profile "${profile}"`;
  const options = { cause: failure, permanent: !isTransientSourceFailure(failure) };
  if (roleArn === undefined) {
    const remedy = "correct that source, then run basil doctor --live";
    return new CredentialSourceError(`${source} gave no credentials: ${text}`, remedy, options);
  }
  const remedy = `correct role-arn, external-id or the trust policy of ${roleArn}`;
  return new CredentialSourceError(`${roleArn} could not be assumed with ${source}: ${text}`, remedy, options);
}
