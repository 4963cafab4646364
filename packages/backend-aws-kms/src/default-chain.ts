import { readFile } from "node:fs/promises";
import { fromEnv, fromHttp, fromIni, fromInstanceMetadata, fromTokenFile } from "@aws-sdk/credential-providers";
import { parseKnownFiles } from "@smithy/core/config";
import { CredentialSourceError, isTransientSourceFailure } from "./credential-error.js";
import type { AwsCredentials } from "./credentials.js";

/** Profile settings that name a source of credentials, complete or not. */
const SOURCE_SETTINGS = [
  "aws_access_key_id",
  "aws_secret_access_key",
  "role_arn",
  "source_profile",
  "credential_source",
  "credential_process",
  "web_identity_token_file",
  "sso_session",
  "sso_start_url",
  "sso_account_id",
  "sso_role_name",
  "login_session",
];

/** A local endpoint answers within this time; the store asks again. */
const LOCAL_ENDPOINT = { timeout: 1000, maxRetries: 0 };

export interface ChainOptions {
  readonly clientConfig?: { readonly region: string };
}

type Settings = Readonly<Record<string, string | undefined>>;

/**
 * The SDK's default chain with one difference: the first source that the environment or the profile in use names is used
 * or fails. The SDK goes on to the next source instead, and so to the identity of the host. The order is the SDK's:
 * AWS_PROFILE, static keys, the default profile, web identity token, container endpoint, EC2 instance metadata. A profile
 * that names no source of credentials is passed over.
 *
 * @throws {@link CredentialSourceError} that names the source, what was wrong with it, and the remedy.
 */
export async function defaultChain(options: ChainOptions = {}): Promise<AwsCredentials> {
  // The environment is read here alone, as the SDK does in the same place.
  const env: Settings = process.env;
  const named = env.AWS_PROFILE;
  if (named) {
    const settings = await profileSettings(named, `AWS_PROFILE "${named}"`);
    if (namesSource(settings)) return profileCredentials(named, `AWS_PROFILE "${named}"`, options);
  }
  if (env.AWS_ACCESS_KEY_ID || env.AWS_SECRET_ACCESS_KEY) return environmentKeys(env);
  if (!named && namesSource(await settingsOf("default"))) {
    return profileCredentials("default", "the default AWS profile", options);
  }
  if (env.AWS_WEB_IDENTITY_TOKEN_FILE) return webIdentity(env, options);
  if (env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI || env.AWS_CONTAINER_CREDENTIALS_FULL_URI) return container(env);
  return instanceMetadata(env);
}

/** @throws {@link CredentialSourceError} when the profile is absent, or names a source that gives no credentials. */
export async function profileCredentials(
  profile: string,
  source: string,
  options: ChainOptions,
): Promise<AwsCredentials> {
  await profileSettings(profile, source);
  const init = {
    ...options,
    ...LOCAL_ENDPOINT,
    ...(await containerToken(process.env, source)),
    ignoreCache: true,
    profile,
  };
  return attempt(
    source,
    (text) => profileRemedy(profile, text),
    () => fromIni(init)(),
  );
}

async function settingsOf(profile: string): Promise<Settings | undefined> {
  const profiles = await parseKnownFiles({ profile, ignoreCache: true }).catch((cause: unknown) => {
    throw new CredentialSourceError(
      `the shared config and credentials files cannot be read: ${textOf(cause)}`,
      "correct AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, or the mode of these files",
      { cause },
    );
  });
  return Object.hasOwn(profiles, profile) ? profiles[profile] : undefined;
}

async function profileSettings(profile: string, source: string): Promise<Settings> {
  const settings = await settingsOf(profile);
  if (settings !== undefined) return settings;
  throw new CredentialSourceError(
    `${source} does not exist in the shared config and credentials files`,
    "correct the profile's name, or AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE",
  );
}

function namesSource(settings: Settings | undefined): boolean {
  return settings !== undefined && SOURCE_SETTINGS.some((name) => settings[name] !== undefined);
}

function profileRemedy(profile: string, text: string): string {
  if (/sso|login session/i.test(text))
    return `run aws sso login${profile === "default" ? "" : ` --profile ${profile}`}`;
  if (/credential_process|Command failed/.test(text))
    return "run the profile's credential_process by hand and correct what it prints";
  return `correct profile "${profile}" in the shared config and credentials files`;
}

function environmentKeys(env: Settings): Promise<AwsCredentials> {
  for (const [set, missing] of [
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
    ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"],
  ] as const) {
    if (env[set] && !env[missing]) {
      throw new CredentialSourceError(`${set} is set and ${missing} is not`, `set ${missing} too, or unset ${set}`);
    }
  }
  return attempt("the environment", () => "correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", fromEnv());
}

function webIdentity(env: Settings, options: ChainOptions): Promise<AwsCredentials> {
  if (!env.AWS_ROLE_ARN) {
    throw new CredentialSourceError(
      "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not",
      "set AWS_ROLE_ARN too",
    );
  }
  const remedy = `correct AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN, or the trust policy of ${env.AWS_ROLE_ARN}`;
  return attempt(
    "the web identity token named in the environment",
    () => remedy,
    () => fromTokenFile(options)(),
  );
}

async function container(env: Settings): Promise<AwsCredentials> {
  const name = env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI
    ? "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
    : "AWS_CONTAINER_CREDENTIALS_FULL_URI";
  const source = `the container endpoint of ${name}`;
  const token = await containerToken(env, source);
  const remedy = `correct ${name} and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, or start the service that answers there`;
  return attempt(
    source,
    () => remedy,
    () => fromHttp({ ...LOCAL_ENDPOINT, ...token })(),
  );
}

/** The token without one trailing line end, which the SDK sends as part of the header. */
async function containerToken(env: Settings, source: string): Promise<object> {
  const file = env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE;
  if (!file) return {};
  const text = await attempt(
    source,
    () => "correct AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    () => readFile(file, "utf8"),
  );
  // An empty file name keeps the SDK from reading the variable itself.
  return { awsContainerAuthorizationTokenFile: "", awsContainerAuthorizationToken: text.replace(/\r?\n$/, "") };
}

async function instanceMetadata(env: Settings): Promise<AwsCredentials> {
  const disabled = env.AWS_EC2_METADATA_DISABLED && env.AWS_EC2_METADATA_DISABLED !== "false";
  const none = "none in the environment, the profile in use, a web identity token or a container endpoint";
  const remedy = "set AWS_PROFILE, name profile in the bundle, or give the host a role; then run basil doctor --live";
  if (disabled)
    throw new CredentialSourceError(
      `${none}, and EC2 metadata was not asked: AWS_EC2_METADATA_DISABLED is set`,
      remedy,
    );
  try {
    const credentials = await fromInstanceMetadata(LOCAL_ENDPOINT)();
    // The one provider that leaves no mark of its own.
    return "$source" in credentials
      ? credentials
      : Object.assign({ ...credentials }, { $source: { CREDENTIALS_IMDS: "0" } });
  } catch (cause) {
    const message = `${none}, and the EC2 instance metadata service did not answer with credentials: ${textOf(cause)}`;
    throw new CredentialSourceError(message, remedy, { cause, permanent: false });
  }
}

async function attempt<T>(source: string, remedy: (text: string) => string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    const text = textOf(cause);
    const permanent = !isTransientSourceFailure(cause);
    throw new CredentialSourceError(`${source} gave no credentials: ${text}`, remedy(text), { cause, permanent });
  }
}

function textOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}
