import { createPublicKey, type JsonWebKey, type KeyObject, verify } from "node:crypto";
import { EmulatorError } from "../errors.js";
import { checkMembers } from "../option-members.js";
import { Refusal } from "../refusal.js";

/** An OpenID Connect provider the account trusts, with its key given instead of fetched. */
export interface OidcProviderOptions {
  /** Issuer without `https://`, e.g. `oidc.eks.us-east-1.amazonaws.com/id/EXAMPLE`. */
  readonly url: string;
  /** PEM (SPKI), or a JWK. RSA for RS256, P-256 for ES256. */
  readonly publicKey: string | JsonWebKey;
  /** Audiences registered with the provider. Default `["sts.amazonaws.com"]`. */
  readonly audiences?: readonly string[];
}

export interface OidcProvider {
  readonly url: string;
  readonly publicKey: KeyObject;
  readonly audiences: readonly string[];
}

/** @throws {@link EmulatorError} `OPTION_INVALID` */
export function oidcProvider(options: OidcProviderOptions, path: string): OidcProvider {
  checkMembers(options, { url: true, publicKey: true, audiences: true }, path);
  const { url, publicKey: given, audiences = ["sts.amazonaws.com"] } = options;
  if (!/^[\w.-]+(\/[\w./-]*)?$/.test(url)) {
    const at = `${path}.url`;
    throw new EmulatorError(
      "OPTION_INVALID",
      `${at}: must be an issuer without https://, found ${JSON.stringify(url)}`,
      { path: at },
    );
  }
  let publicKey: KeyObject;
  try {
    publicKey = typeof given === "string" ? createPublicKey(given) : createPublicKey({ key: given, format: "jwk" });
  } catch (cause) {
    const at = `${path}.publicKey`;
    throw new EmulatorError("OPTION_INVALID", `${at}: must be a public key in PEM or JWK`, { path: at }, { cause });
  }
  return { url, publicKey, audiences };
}

/** The claims of a web identity token that decisions use. */
export interface WebIdentity {
  readonly provider: OidcProvider;
  readonly subject: string;
  readonly audience: string;
}

const invalidToken = (message: string) => new Refusal("InvalidIdentityToken", message);

function json(part: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? "", "base64url").toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Falls through to the one answer for anything that is not a JWT.
  }
  throw invalidToken("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)");
}

function signatureHolds(token: string, algorithm: unknown, key: KeyObject): boolean {
  const dot = token.lastIndexOf(".");
  const signature = Buffer.from(token.slice(dot + 1), "base64url");
  const signed = Buffer.from(token.slice(0, dot), "latin1");
  if (algorithm === "RS256" && key.asymmetricKeyType === "rsa") return verify("sha256", signed, key, signature);
  if (algorithm === "ES256" && key.asymmetricKeyDetails?.namedCurve === "prime256v1") {
    return verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, signature);
  }
  return false;
}

/** Checks a web identity token (RFC 7519): issuer, signature, audience, times. */
export function verifyWebIdentityToken(token: string, providers: readonly OidcProvider[], now: number): WebIdentity {
  const parts = token.split(".");
  const header = json(parts[0]);
  const claims = json(parts.length === 3 ? parts[1] : undefined);
  const { iss, sub, aud, exp, nbf } = claims;
  const provider = providers.find(({ url }) => iss === `https://${url}`);
  if (provider === undefined) throw invalidToken("No OpenIDConnect provider found in your account for this issuer");
  if (!signatureHolds(token, header.alg, provider.publicKey)) {
    throw invalidToken(
      "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
    );
  }
  const seconds = now / 1000;
  if (typeof exp !== "number") throw invalidToken("Missing a required claim: exp");
  if (exp <= seconds)
    throw new Refusal(
      "ExpiredTokenException",
      `Token expired: current date/time ${Math.floor(seconds)} must be before the expiration date/time ${exp}`,
    );
  if (typeof nbf === "number" && nbf > seconds + 300) throw invalidToken("Token is not yet valid");
  if (typeof sub !== "string" || sub === "") throw invalidToken("Missing a required claim: sub");
  const audience = (Array.isArray(aud) ? aud : [aud]).find((one: unknown) => provider.audiences.includes(String(one)));
  if (typeof audience !== "string") throw invalidToken("Incorrect token audience");
  return { provider, subject: sub, audience };
}
