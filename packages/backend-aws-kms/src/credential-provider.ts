import type { AwsCredentials } from "./credentials.js";

/** The SDK's own marks of where credentials come from, in an operator's words; those of a chain are listed in turn. */
const PROVIDERS: Readonly<Record<string, string>> = {
  CREDENTIALS_ENV_VARS: "environment variables",
  CREDENTIALS_ENV_VARS_STS_WEB_ID_TOKEN: "web identity token named in the environment",
  CREDENTIALS_STS_ASSUME_ROLE: "assumed role",
  CREDENTIALS_STS_ASSUME_ROLE_WEB_ID: "role assumed by web identity",
  CREDENTIALS_PROFILE: "shared config and credentials files",
  CREDENTIALS_PROFILE_SOURCE_PROFILE: "source profile",
  CREDENTIALS_PROFILE_NAMED_PROVIDER: "credential source of the profile",
  CREDENTIALS_PROFILE_STS_WEB_ID_TOKEN: "web identity token of the profile",
  CREDENTIALS_PROFILE_SSO: "SSO session of the profile",
  CREDENTIALS_PROFILE_SSO_LEGACY: "SSO of the profile",
  CREDENTIALS_PROFILE_PROCESS: "process of the profile",
  CREDENTIALS_SSO: "SSO session",
  CREDENTIALS_SSO_LEGACY: "SSO",
  CREDENTIALS_PROFILE_LOGIN: "login session of the profile",
  CREDENTIALS_LOGIN: "login session",
  CREDENTIALS_PROCESS: "process",
  CREDENTIALS_HTTP: "container endpoint",
  CREDENTIALS_IMDS: "EC2 instance metadata",
};

/** Which provider of the chain gave the credentials; undefined when it does not say. */
export function credentialProvider(credentials: AwsCredentials & { readonly $source?: object }): string | undefined {
  const marks = Object.keys(credentials.$source ?? {}).filter(
    (mark) => mark.startsWith("CREDENTIALS_") && mark !== "CREDENTIALS_CODE",
  );
  if (marks.length === 0) return undefined;
  return marks.map((mark) => PROVIDERS[mark] ?? mark.toLowerCase().replaceAll("_", " ")).join(", ");
}
