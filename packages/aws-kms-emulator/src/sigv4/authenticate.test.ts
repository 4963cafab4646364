import { describe, expect, it } from "vitest";
import type { WireRequest } from "../http/wire.js";
import { isRefusal } from "../refusal.js";
import { Authenticator } from "./authenticate.js";
import { canonicalRequest } from "./canonical-request.js";
import { deriveSigningKey, sha256Hex, signCanonicalRequest } from "./signature.js";

// The credential and time of the AWS Signature Version 4 test suite.
const accessKeyId = "AKIDEXAMPLE";
const secretAccessKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const time = "20150830T123600Z";
const now = Date.UTC(2015, 7, 30, 12, 36);
const scope = { date: "20150830", region: "us-east-1", service: "service" };

function request(overrides: Partial<WireRequest> = {}, headers: Record<string, string> = {}): WireRequest {
  return {
    method: "GET",
    path: "/",
    query: "",
    body: new Uint8Array(0),
    remoteAddress: "127.0.0.1",
    ...overrides,
    headers: new Map(Object.entries({ host: "example.amazonaws.com", "x-amz-date": time, ...headers })),
  };
}

function signed(
  unsigned: WireRequest,
  names = ["host", "x-amz-date"],
  changes: Record<string, string> = {},
): WireRequest {
  const key = deriveSigningKey(secretAccessKey, scope);
  const signature = signCanonicalRequest(key, scope, time, canonicalRequest(unsigned, names, sha256Hex(unsigned.body)));
  const parts = {
    Credential: `${accessKeyId}/20150830/us-east-1/service/aws4_request`,
    SignedHeaders: names.join(";"),
    Signature: signature,
    ...changes,
  };
  const text = Object.entries(parts)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
  return { ...unsigned, headers: new Map([...unsigned.headers, ["authorization", `AWS4-HMAC-SHA256 ${text}`]]) };
}

const longLived = { secretAccessKey, sessionToken: undefined, expiresAt: undefined };

function authenticate(
  received: WireRequest,
  credential: { secretAccessKey: string; sessionToken: string | undefined; expiresAt: number | undefined } = longLived,
  at = now,
): string {
  try {
    new Authenticator().authenticate(received, {
      credential: (id) => (id === accessKeyId ? credential : undefined),
      service: "service",
      regions: ["us-east-1"],
      now: at,
    });
    return "accepted";
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

describe("AWS Signature Version 4", () => {
  it.for([
    ["get-vanilla", {}, {}, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
    [
      "get-vanilla-query-order-key-case",
      { query: "Param2=value2&Param1=value1" },
      {},
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ],
    ["post-vanilla", { method: "POST" }, {}, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"],
  ] as const)("signs %s of the AWS test suite as printed there", ([, overrides, headers, signature]) => {
    expect(signed(request(overrides, headers)).headers.get("authorization")).toContain(`Signature=${signature}`);
  });

  it("accepts a request signed over a body, headers with runs of spaces, and a session token", () => {
    const names = ["host", "my-header", "x-amz-date", "x-amz-security-token"];
    const headers = { "my-header": "  a   b c  ", "x-amz-security-token": "token" };
    const body = new TextEncoder().encode('{"KeyId":"x"}');
    const received = signed(request({ method: "POST", body }, headers), names);
    expect(authenticate(received, { ...longLived, sessionToken: "token" })).toBe("accepted");
  });

  const good = signed(request({ method: "POST", body: Uint8Array.of(1, 2, 3) }));
  const withHeader = (name: string, value: string): WireRequest => ({
    ...good,
    headers: new Map(good.headers).set(name, value),
  });
  it.for([
    ["another body byte", { ...good, body: Uint8Array.of(1, 2, 4) }, "InvalidSignatureException"],
    ["another method", { ...good, method: "PUT" }, "InvalidSignatureException"],
    ["another path", { ...good, path: "/x" }, "InvalidSignatureException"],
    ["an added query", { ...good, query: "a=b" }, "InvalidSignatureException"],
    ["another host", withHeader("host", "example.com"), "InvalidSignatureException"],
    ["another time", withHeader("x-amz-date", "20150830T123601Z"), "InvalidSignatureException"],
    [
      "no authorization",
      { ...good, headers: new Map([...good.headers].filter(([name]) => name !== "authorization")) },
      "MissingAuthenticationTokenException",
    ],
    ["another scheme", withHeader("authorization", "Basic abc"), "IncompleteSignatureException"],
    [
      "no signature",
      signed(request(), undefined, { Signature: "" }),
      "IncompleteSignatureException: Authorization header requires 'Signature' parameter.",
    ],
    ["a short credential", signed(request(), undefined, { Credential: "a/b/c" }), "IncompleteSignatureException"],
    [
      "no time",
      { ...good, headers: new Map([...good.headers].filter(([name]) => name !== "x-amz-date")) },
      "IncompleteSignatureException",
    ],
    ["a time that is none", withHeader("x-amz-date", "yesterday"), "IncompleteSignatureException"],
    [
      "an unknown key",
      signed(request(), undefined, { Credential: "AKIDOTHER/20150830/us-east-1/service/aws4_request" }),
      "UnrecognizedClientException",
    ],
    ["a token that is not expected", withHeader("x-amz-security-token", "t"), "UnrecognizedClientException"],
    [
      "another region",
      signed(request(), undefined, { Credential: `${accessKeyId}/20150830/eu-west-1/service/aws4_request` }),
      "InvalidSignatureException: Credential should be scoped to a valid region, not 'eu-west-1'.",
    ],
    [
      "another service",
      signed(request(), undefined, { Credential: `${accessKeyId}/20150830/us-east-1/s3/aws4_request` }),
      "InvalidSignatureException: Credential should be scoped to correct service: 'service'.",
    ],
    [
      "another day in the scope",
      signed(request(), undefined, { Credential: `${accessKeyId}/20150831/us-east-1/service/aws4_request` }),
      "InvalidSignatureException: Date in Credential scope does not match",
    ],
    [
      "another terminator",
      signed(request(), undefined, { Credential: `${accessKeyId}/20150830/us-east-1/service/aws5_request` }),
      "InvalidSignatureException: Credential should be scoped with a valid terminator",
    ],
    ["a host that is not signed", signed(request(), ["x-amz-date"]), "InvalidSignatureException: 'host' must be"],
    ["a time that is not signed", signed(request(), ["host"]), "InvalidSignatureException: 'x-amz-date' must be"],
    [
      "a signed header that is not sent",
      signed(request(), ["host", "x-amz-date", "x-more"]),
      "InvalidSignatureException: Signed header 'x-more'",
    ],
    [
      "signed headers out of order",
      signed(request(), ["x-amz-date", "host"]),
      "InvalidSignatureException: SignedHeaders must be sorted",
    ],
  ] as const)("refuses %s", ([, received, refusal]) => {
    expect(authenticate(received)).toContain(refusal);
  });

  it("refuses another secret", () => {
    expect(authenticate(good, { ...longLived, secretAccessKey: "other" })).toContain(
      "InvalidSignatureException: The request signature we calculated does not match the signature you provided.",
    );
  });

  it("refuses a session token that is not signed", () => {
    const received = signed(request({}, { "x-amz-security-token": "token" }));
    expect(authenticate(received, { ...longLived, sessionToken: "token" })).toContain("'x-amz-security-token' must be");
  });

  it("refuses credentials from the moment they expire", () => {
    expect(authenticate(good, { ...longLived, expiresAt: now })).toContain("ExpiredTokenException");
    expect(authenticate(good, { ...longLived, expiresAt: now + 1 })).toBe("accepted");
  });

  it("takes five minutes of skew either way and no more", () => {
    const five = 5 * 60_000;
    expect(authenticate(good, longLived, now + five)).toBe("accepted");
    expect(authenticate(good, longLived, now - five)).toBe("accepted");
    expect(authenticate(good, longLived, now + five + 1000)).toContain(
      "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z",
    );
    expect(authenticate(good, longLived, now - five - 1000)).toContain(
      "Signature not yet current: 20150830T123600Z is still later than",
    );
  });
});
