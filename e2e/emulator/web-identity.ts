import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** A cluster's OIDC issuer, as far as its tokens go. */
export class OidcIssuer {
  readonly url: string;
  readonly publicKey: string;
  readonly #privateKey: KeyObject;

  constructor(url: string) {
    this.url = url;
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    this.#privateKey = privateKey;
    this.publicKey = publicKey.export({ type: "spki", format: "pem" }).toString();
  }

  /** A service account token as Kubernetes projects it, RS256. */
  token(claims: { readonly sub: string; readonly aud?: string; readonly iss?: string; readonly exp?: number }): string {
    const now = Math.floor(Date.now() / 1000);
    const payload = { iss: `https://${this.url}`, aud: ["sts.amazonaws.com"], iat: now, exp: now + 3600, ...claims };
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = `${encode({ alg: "RS256", typ: "JWT" })}.${encode(payload)}`;
    return `${signed}.${sign("sha256", Buffer.from(signed), this.#privateKey).toString("base64url")}`;
  }
}
