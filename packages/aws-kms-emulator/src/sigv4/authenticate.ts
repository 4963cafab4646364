import { type KeyObject, timingSafeEqual } from "node:crypto";
import type { WireRequest } from "../http/wire.js";
import { Refusal } from "../refusal.js";
import { type AuthorizationHeader, parseAuthorizationHeader } from "./authorization-header.js";
import { canonicalRequest } from "./canonical-request.js";
import { deriveSigningKey, sha256Hex, signCanonicalRequest } from "./signature.js";

/** What the credential store knows of one access key. */
export interface SigningCredential {
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
  /** Milliseconds since the epoch; undefined for long-lived keys. */
  readonly expiresAt: number | undefined;
}

export interface AuthenticateOptions<C extends SigningCredential> {
  readonly credential: (accessKeyId: string) => C | undefined;
  readonly service: string;
  readonly regions: readonly string[];
  readonly now: number;
}

const skewMs = 5 * 60_000;
const encoder = new TextEncoder();

/** `20261123T200000Z` → milliseconds since the epoch, or undefined. */
function parseAmzDate(text: string): number | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

export function formatAmzDate(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, "");
}

const invalid = (message: string) => new Refusal("InvalidSignatureException", message);

/** Checks AWS Signature Version 4 byte for byte and returns whose credential signed. Any failure is a {@link Refusal}. */
export class Authenticator<C extends SigningCredential> {
  // Derived keys change once a day and access key; deriving costs four HMACs.
  readonly #signingKeys = new Map<string, KeyObject>();

  authenticate(request: WireRequest, options: AuthenticateOptions<C>): { credential: C; header: AuthorizationHeader } {
    const text = request.headers.get("authorization");
    if (text === undefined || text === "") {
      throw new Refusal("MissingAuthenticationTokenException", "Missing Authentication Token");
    }
    const header = parseAuthorizationHeader(text);
    const time = request.headers.get("x-amz-date");
    const signedAt = time === undefined ? undefined : parseAmzDate(time);
    if (time === undefined) {
      throw new Refusal(
        "IncompleteSignatureException",
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
      );
    }
    if (signedAt === undefined) {
      throw new Refusal(
        "IncompleteSignatureException",
        `Date must be in ISO-8601 'basic format'. Got '${time}'. See http://en.wikipedia.org/wiki/ISO_8601`,
      );
    }
    const credential = options.credential(header.accessKeyId);
    const token = request.headers.get("x-amz-security-token");
    if (credential === undefined || !sameText(credential.sessionToken ?? "", token ?? "")) {
      throw new Refusal("UnrecognizedClientException", "The security token included in the request is invalid.");
    }
    if (credential.expiresAt !== undefined && credential.expiresAt <= options.now) {
      throw new Refusal("ExpiredTokenException", "The security token included in the request is expired");
    }
    this.#checkScope(header, time, options);
    if (signedAt < options.now - skewMs) {
      const limit = formatAmzDate(options.now - skewMs);
      throw invalid(`Signature expired: ${time} is now earlier than ${limit} (${formatAmzDate(options.now)} - 5 min.)`);
    }
    if (signedAt > options.now + skewMs) {
      const limit = formatAmzDate(options.now + skewMs);
      throw invalid(
        `Signature not yet current: ${time} is still later than ${limit} (${formatAmzDate(options.now)} + 5 min.)`,
      );
    }
    this.#checkSignedHeaders(request, header, token);
    const canonical = canonicalRequest(request, header.signedHeaders, sha256Hex(request.body));
    const expected = signCanonicalRequest(
      this.#signingKey(credential.secretAccessKey, header),
      header,
      time,
      canonical,
    );
    if (!sameText(expected, header.signature)) {
      throw invalid(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
      );
    }
    return { credential, header };
  }

  #checkScope(header: AuthorizationHeader, time: string, options: AuthenticateOptions<C>): void {
    if (header.terminator !== "aws4_request") {
      throw invalid(`Credential should be scoped with a valid terminator: 'aws4_request', not '${header.terminator}'.`);
    }
    if (!options.regions.includes(header.region)) {
      throw invalid(`Credential should be scoped to a valid region, not '${header.region}'. `);
    }
    if (header.service !== options.service) {
      throw invalid(`Credential should be scoped to correct service: '${options.service}'. `);
    }
    if (header.date !== time.slice(0, 8)) {
      throw invalid(
        `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${header.date}' != '${time.slice(0, 8)}', from '${time}'.`,
      );
    }
  }

  #checkSignedHeaders(request: WireRequest, header: AuthorizationHeader, token: string | undefined): void {
    const required = token === undefined ? ["host", "x-amz-date"] : ["host", "x-amz-date", "x-amz-security-token"];
    for (const name of required) {
      if (!header.signedHeaders.includes(name))
        throw invalid(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`);
    }
    for (const name of header.signedHeaders) {
      if (!request.headers.has(name)) throw invalid(`Signed header '${name}' is not present in the request.`);
    }
    const sorted = header.signedHeaders.every((name, i) => i === 0 || (header.signedHeaders[i - 1] ?? "") < name);
    if (!sorted) throw invalid("SignedHeaders must be sorted and name each header once.");
  }

  #signingKey(secretAccessKey: string, header: AuthorizationHeader): KeyObject {
    const id = `${header.accessKeyId}/${secretAccessKey}/${header.date}/${header.region}/${header.service}`;
    let key = this.#signingKeys.get(id);
    if (key === undefined) {
      if (this.#signingKeys.size >= 1000) this.#signingKeys.clear();
      key = deriveSigningKey(secretAccessKey, header);
      this.#signingKeys.set(id, key);
    }
    return key;
  }
}

/** Equality in a time that depends on the lengths only. */
export function sameText(a: string, b: string): boolean {
  const left = encoder.encode(a);
  const right = encoder.encode(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
