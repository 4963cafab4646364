import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Answer, cut, fault, garbage, hang, ok, reset, scriptedServer } from "../test/scripted-server.js";
import { SdkClient } from "./sdk-client.js";

const SIGN = {
  KeyId: "alias/k",
  Message: new Uint8Array(1),
  MessageType: "RAW",
  SigningAlgorithm: "ED25519_SHA_512",
} as const;
const CREATE = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY", Description: "d" } as const;
const signed = ok({ KeyId: "arn:k", Signature: "AAAA" });
const never = new AbortController().signal;

beforeEach(() => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  vi.stubEnv("AWS_CONFIG_FILE", "/dev/null");
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
});
afterEach(() => vi.unstubAllEnvs());

type Wire = "lean" | "sdk";

async function open(wire: Wire, ...script: [Answer, ...Answer[]]) {
  const server = await scriptedServer(...script);
  const client = new SdkClient({
    region: "us-east-1",
    endpoint: server.endpoint,
    maxAttempts: 3,
    connectTimeoutMs: 1000,
    attemptTimeoutMs: 750,
    connections: 4,
    wire,
  });
  return {
    server,
    client,
    [Symbol.asyncDispose]: async () => {
      client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe.for(["lean", "sdk"] as const)("SdkClient over the %s wire", (wire) => {
  it("gives the answer with the request id and the number of attempts", async () => {
    await using test = await open(wire, signed);
    await expect(test.client.call("Sign", SIGN, never)).resolves.toEqual({
      output: { KeyId: "arn:k", Signature: new Uint8Array([0, 0, 0]) },
      requestId: "11111111-2222-3333-4444-555555555555",
      attempts: 1,
    });
    expect(test.server.requests[0]).toMatchObject({ action: "Sign", body: { KeyId: "alias/k", Message: "AA==" } });
  });

  it.for([
    ["two throttles", [fault("ThrottlingException"), fault("ThrottlingException")]],
    ["two 500s", [fault("KMSInternalException", 500), fault("KMSInternalException", 500)]],
    ["a 503 that is a web page", [(response) => response.writeHead(503).end("<html>busy</html>")]],
    ["a reset", [reset]],
    ["two resets", [reset, reset]],
    ["an answer cut short", [cut]],
    ["an answer that is not HTTP", [garbage]],
    ["an attempt without an answer", [hang]],
  ] as const satisfies readonly [string, Answer[]][])("succeeds after %s", async ([, faults]) => {
    const [first, ...rest] = [...faults, signed] as [Answer, ...Answer[]];
    await using test = await open(wire, first, ...rest);
    await expect(test.client.call("Sign", SIGN, never)).resolves.toMatchObject({ attempts: faults.length + 1 });
    expect(test.server.requests).toHaveLength(faults.length + 1);
  });

  it.for([
    ["AccessDeniedException", 1],
    ["NotFoundException", 1],
    ["ValidationException", 1],
    ["KMSInvalidStateException", 1],
    ["LimitExceededException", 1],
    ["ThrottlingException", 3],
  ] as const)("sends %s on after %i attempts", async ([name, attempts]) => {
    await using test = await open(wire, fault(name));
    await expect(test.client.call("Sign", SIGN, never)).rejects.toMatchObject({ name });
    expect(test.server.requests).toHaveLength(attempts);
  });

  it("ends in a TimeoutError when nothing ever answers", async () => {
    await using test = await open(wire, hang);
    await expect(test.client.call("Sign", SIGN, never)).rejects.toMatchObject({ name: "TimeoutError" });
    expect(test.server.requests).toHaveLength(3);
  });

  it("drops the request as soon as the signal aborts", async () => {
    await using test = await open(wire, hang);
    const stop = new AbortController();
    const call = test.client.call("Sign", SIGN, stop.signal);
    const refused = expect(call).rejects.toMatchObject({ name: "AbortError" });
    await expect.poll(() => test.server.requests).toHaveLength(1);
    stop.abort();
    await refused;
    await expect.poll(() => test.server.connections).toBe(0);
    expect(test.server.requests).toHaveLength(1);
  });

  it("stops waiting for a retry as soon as the signal aborts", async () => {
    await using test = await open(wire, fault("ThrottlingException"));
    const stop = new AbortController();
    const call = test.client.call("Sign", SIGN, stop.signal);
    const refused = expect(call).rejects.toMatchObject({ name: "AbortError" });
    await expect.poll(() => test.server.requests).toHaveLength(1);
    stop.abort();
    await refused;
    expect(test.server.requests).toHaveLength(1);
  });

  it.for([
    ["a reset", reset],
    ["an answer cut short", cut],
    ["no answer", hang],
    ["a 500", fault("KMSInternalException", 500)],
  ] as const)("sends CreateKey once when %s leaves open whether KMS acted", async ([, answer]) => {
    await using test = await open(wire, answer);
    await expect(test.client.call("CreateKey", CREATE, never)).rejects.toThrow();
    expect(test.server.requests).toHaveLength(1);
  });

  it("sends CreateKey again after ThrottlingException, by which KMS says that it did not act", async () => {
    const created = ok({ KeyMetadata: { KeyId: "k", Arn: "arn:k" } });
    await using test = await open(wire, fault("ThrottlingException"), created);
    await expect(test.client.call("CreateKey", CREATE, never)).resolves.toMatchObject({ attempts: 2 });
  });

  it.for(["UnrecognizedClientException", "ExpiredTokenException"])(
    "resolves credentials anew after %s and tries again",
    async (name) => {
      await using test = await open(wire, (response, request) => {
        vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDROTATED");
        const rotated = request.headers.authorization?.includes("AKIDROTATED");
        return (rotated ? signed : fault(name))(response, request);
      });
      await expect(test.client.call("Sign", SIGN, never)).resolves.toMatchObject({ attempts: 1 });
      expect(test.server.requests).toHaveLength(2);
    },
  );

  it("goes to AWS_ENDPOINT_URL_KMS when no endpoint is given", async () => {
    await using server = await scriptedServer(signed);
    vi.stubEnv("AWS_ENDPOINT_URL_KMS", server.endpoint);
    const client = new SdkClient({
      region: "us-east-1",
      maxAttempts: 1,
      connectTimeoutMs: 1000,
      attemptTimeoutMs: 1000,
      connections: 1,
      wire,
    });
    await client.call("Sign", SIGN, never);
    client.close();
    expect(server.requests).toHaveLength(1);
  });

  it("signs the session token, and reads credentials once an attempt", async () => {
    vi.stubEnv("AWS_SESSION_TOKEN", "a token/+=");
    await using test = await open(wire, fault("KMSInternalException", 500), signed);
    await test.client.call("Sign", SIGN, never);
    for (const { headers } of test.server.requests) {
      expect(headers["x-amz-security-token"]).toBe("a token/+=");
      expect(headers.authorization).toContain("x-amz-security-token");
    }
  });

  it.for([
    ["__type with a namespace", { __type: "com.amazonaws.kms#NotFoundException", message: "why" }],
    ["__type without one", { __type: "NotFoundException", Message: "why" }],
    ["code", { code: "NotFoundException", message: "why" }],
  ] as const)("takes the name of an error from %s", async ([, body]) => {
    const answer: Answer = (response) =>
      response.writeHead(400, { "x-amzn-requestid": "r-1" }).end(JSON.stringify(body));
    await using test = await open(wire, answer);
    await expect(test.client.call("Sign", SIGN, never)).rejects.toMatchObject({
      name: "NotFoundException",
      message: "why",
      $metadata: { httpStatusCode: 400, requestId: "r-1", attempts: 1 },
    });
  });

  it("follows no redirect", async () => {
    await using elsewhere = await scriptedServer(signed);
    const answer: Answer = (response) => response.writeHead(307, { location: elsewhere.endpoint }).end();
    await using test = await open(wire, answer);
    await expect(test.client.call("Sign", SIGN, never)).rejects.toMatchObject({ $metadata: { httpStatusCode: 307 } });
    expect(elsewhere.requests).toEqual([]);
  });

  it("signs with the time of KMS after one answer that the clock is off", async () => {
    const hourAhead = new Date(Date.now() + 3_600_000);
    const expired: Answer = (response) =>
      response.writeHead(400, { date: hourAhead.toUTCString() }).end(
        JSON.stringify({
          __type: "InvalidSignatureException",
          message: "Signature expired: 1 is now earlier than 2",
        }),
      );
    await using test = await open(wire, expired, signed);
    await expect(test.client.call("Sign", SIGN, never)).resolves.toMatchObject({ attempts: 2 });
    const sent = test.server.requests.map(({ headers }) => String(headers["x-amz-date"]).slice(0, 11));
    const hourOf = (time: Date) => time.toISOString().replace(/[-:]/g, "").slice(0, 11);
    expect(sent[1]).toBe(hourOf(new Date(Date.now() + 3_600_000)));
  });

  it("waits again on a new connection when KMS closed the idle one", async () => {
    await using test = await open(wire, signed, reset, signed);
    await test.client.call("Sign", SIGN, never);
    await expect(test.client.call("Sign", SIGN, never)).resolves.toMatchObject({ attempts: 2 });
  });

  it("ends at its time, whatever is left to try", async () => {
    await using test = await open(wire, hang);
    const call = test.client.call("Sign", SIGN, never, performance.now() + 50);
    await expect(call).rejects.toMatchObject({ name: "TimeoutError" });
    expect(test.server.requests).toHaveLength(1);
  });

  it("ends at its time while credentials are being found", async () => {
    await using server = await scriptedServer(signed);
    const client = new SdkClient({
      region: "us-east-1",
      endpoint: server.endpoint,
      credentials: () => new Promise(() => {}),
      maxAttempts: 3,
      connectTimeoutMs: 1000,
      attemptTimeoutMs: 1000,
      connections: 1,
      wire,
    });
    const call = client.call("Sign", SIGN, never, performance.now() + 50);
    await expect(call).rejects.toMatchObject({ name: "TimeoutError" });
    client.close();
    expect(server.requests).toEqual([]);
  });
});
