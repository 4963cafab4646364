import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WireRequest } from "./http/wire.js";
import { type KmsEmulator, startKmsEmulator } from "./index.js";
import { formatAmzDate } from "./sigv4/authenticate.js";
import { canonicalRequest } from "./sigv4/canonical-request.js";
import { deriveSigningKey, sha256Hex, signCanonicalRequest } from "./sigv4/signature.js";

const id = "1111abcd-12ab-34cd-56ef-1234567890ab";
const secret = { accessKeyId: "AKIAHOSTILE", secretAccessKey: "secret" };
const bodies: Readonly<Record<string, object>> = {
  CreateKey: { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY", Tags: [{ TagKey: "a", TagValue: "b" }] },
  DescribeKey: { KeyId: id },
  GetPublicKey: { KeyId: "alias/hostile" },
  Sign: { KeyId: id, Message: "YQ==", MessageType: "RAW", SigningAlgorithm: "ECDSA_SHA_256" },
  Verify: { KeyId: id, Message: "YQ==", SigningAlgorithm: "ECDSA_SHA_256", Signature: "MAA=" },
  Encrypt: { KeyId: id, Plaintext: "YQ==", EncryptionContext: { a: "b" } },
  Decrypt: { CiphertextBlob: "AQICAHg=", EncryptionContext: { a: "b" } },
  GenerateDataKey: { KeyId: id, NumberOfBytes: 32 },
  CreateAlias: { AliasName: "alias/new", TargetKeyId: id },
  UpdateAlias: { AliasName: "alias/hostile", TargetKeyId: id },
  ListAliases: { Limit: 1, Marker: "x" },
  ScheduleKeyDeletion: { KeyId: id, PendingWindowInDays: 31 },
  TagResource: { KeyId: id, Tags: [{ TagKey: "a", TagValue: "b" }] },
  PutKeyPolicy: { KeyId: id, Policy: '{"Version":"2012-10-17","Statement":{"Effect":"Allow"}}' },
};
const form =
  "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::111122223333:role/x&RoleSessionName=abc&DurationSeconds=900";

/** What a client of the emulator may say, with a right signature over it when `signed`. */
function request(
  target: string | undefined,
  body: Uint8Array,
  signed: boolean,
  extra: Record<string, string> = {},
): WireRequest {
  const time = formatAmzDate(Date.now());
  const service = target === undefined ? "sts" : "kms";
  const headers = new Map(
    Object.entries({
      host: "127.0.0.1",
      "x-amz-date": time,
      "content-type": target === undefined ? "application/x-www-form-urlencoded" : "application/x-amz-json-1.1",
      ...(target !== undefined && { "x-amz-target": `TrentService.${target}` }),
      ...extra,
    }),
  );
  const unsigned = { method: "POST", path: "/", query: "", headers, body, remoteAddress: "127.0.0.1" };
  if (!signed) return unsigned;
  const scope = { date: time.slice(0, 8), region: "us-east-1", service };
  const names = ["host", "x-amz-date"];
  const signature = signCanonicalRequest(
    deriveSigningKey(secret.secretAccessKey, scope),
    scope,
    time,
    canonicalRequest(unsigned, names, sha256Hex(body)),
  );
  const authorization = `AWS4-HMAC-SHA256 Credential=${secret.accessKeyId}/${scope.date}/us-east-1/${service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`;
  return { ...unsigned, headers: new Map([...headers, ["authorization", authorization]]) };
}

/** Bytes of a text with some of them changed, taken out or put in. */
const mutated = (text: string) =>
  fc
    .array(
      fc.record({
        at: fc.nat(text.length),
        kind: fc.constantFrom("set", "cut", "put"),
        byte: fc.integer({ min: 0, max: 255 }),
      }),
      { minLength: 1, maxLength: 4 },
    )
    .map((edits) => {
      const bytes = [...Buffer.from(text)];
      for (const { at, kind, byte } of edits)
        bytes.splice(at, kind === "put" ? 0 : 1, ...(kind === "cut" ? [] : [byte]));
      return Uint8Array.from(bytes);
    });

const anyValue = fc.oneof(
  fc.constant(null),
  fc.integer(),
  fc.double(),
  fc.string({ unit: "binary" }),
  fc.boolean(),
  fc.array(fc.string()),
  fc.dictionary(fc.string(), fc.string()),
);

/** A right body with some members replaced by anything. */
const retyped = (body: object) =>
  fc
    .dictionary(fc.constantFrom(...Object.keys(body), "__proto__", "constructor"), anyValue, { minKeys: 1, maxKeys: 3 })
    .map((changes) => Buffer.from(JSON.stringify({ ...body, ...changes })));

const hostile = fc.oneof(
  fc
    .constantFrom(...Object.entries(bodies))
    .chain(([operation, body]) =>
      fc.oneof(mutated(JSON.stringify(body)), retyped(body)).map((bytes) => request(operation, bytes, true)),
    ),
  mutated(form).map((bytes) => request(undefined, bytes, true)),
  fc
    .record(
      {
        authorization: fc.oneof(
          fc.string(),
          fc.constant("AWS4-HMAC-SHA256 ").chain((scheme) => fc.string().map((rest) => scheme + rest)),
          fc.constantFrom(
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=0",
            "AWS4-HMAC-SHA256 Credential=AKIAHOSTILE/20260101/us-east-1/kms/aws4_request, SignedHeaders=;;, Signature=",
          ),
        ),
        "x-amz-date": fc.oneof(fc.string(), fc.constant("99999999T999999Z")),
        "x-amz-security-token": fc.string(),
        "x-amz-target": fc.oneof(
          fc.string(),
          fc.constantFrom("TrentService.Sign", "TrentService.", "TrentService.__proto__"),
        ),
        "content-type": fc.oneof(fc.string(), fc.constant("application/x-amz-json-1.1")),
      },
      { requiredKeys: [] },
    )
    .map((headers) =>
      request("Sign", Buffer.from(JSON.stringify(bodies.Sign)), false, headers as Record<string, string>),
    ),
);

describe("a hostile request", () => {
  let emulator: KmsEmulator;

  beforeAll(async () => {
    emulator = await startKmsEmulator({
      rootAccessKey: secret,
      keys: [{ id, spec: "ECC_NIST_P256", aliases: ["alias/hostile"] }],
      instanceMetadata: { instanceProfile: "x" },
      ssoPortal: { accessToken: "t", roles: [] },
    });
  });

  afterAll(() => emulator.close());

  it("is answered like any other: never with a failure of the emulator itself", { timeout: 120_000 }, async () => {
    const handle = (wire: WireRequest) =>
      emulator.requestHandler.handle({
        method: wire.method,
        path: wire.path,
        headers: Object.fromEntries(wire.headers),
        body: wire.body,
      });
    await fc.assert(
      fc.asyncProperty(hostile, async (wire) => {
        const { response } = await handle(wire);
        const last = emulator.calls.at(-1);
        expect(last?.errorMessage ?? "").not.toContain("the emulator failed");
        expect(response.statusCode).toBeLessThan(500);
        if (response.statusCode !== 200) expect(last?.errorCode).toBeDefined();
      }),
      { numRuns: 10_000 },
    );
    const { response } = await handle(request("DescribeKey", Buffer.from(JSON.stringify({ KeyId: id })), true));
    expect(response.statusCode).toBe(200);
  });

  it("does not take the socket server down", async () => {
    const { hostname, port } = new URL(emulator.endpoint);
    for (const bytes of [
      "\0\0\0",
      "POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
      "GET /latest/%zz HTTP/1.1\r\nhost: x\r\n\r\n",
      "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\nshort",
    ]) {
      await new Promise<void>((resolve) => {
        const socket = connect(Number(port), hostname, () => socket.end(bytes));
        socket
          .on("error", () => resolve())
          .on("close", () => resolve())
          .resume();
      });
    }
    const tooLarge = await fetch(emulator.endpoint, { method: "POST", body: "x".repeat(1_048_577) });
    expect(tooLarge.status).toBe(413);
    expect((await fetch(`${emulator.endpoint}/nothing`)).status).toBe(404);
  });
});
