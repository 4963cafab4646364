import * as sdk from "@aws-sdk/client-kms";
import { describe, expect, it } from "vitest";
import { startKmsEmulator } from "../index.js";
import { inputShapes, unbuiltOperations } from "./input-shapes.js";

const modelled = Object.keys(sdk)
  .filter((name) => /^[A-Z]\w+Command$/.test(name))
  .map((name) => name.replace(/Command$/, ""))
  .filter((name) => name !== "");

describe("operations", () => {
  it("are all those of the service model, built or not, and none is both", () => {
    const known = [...Object.keys(inputShapes), ...unbuiltOperations];
    expect(known.sort()).toEqual(modelled.sort());
  });

  it("that are modelled and not built answer UnsupportedOperationException, after the signature is checked", async () => {
    await using emulator = await startKmsEmulator();
    const options = { requestHandler: emulator.requestHandler, region: "us-east-1", maxAttempts: 1 };
    const client = new sdk.KMSClient({ ...options, credentials: emulator.rootCredentials });
    await expect(client.send(new sdk.ListRetirableGrantsCommand({ RetiringPrincipal: "x" }))).rejects.toMatchObject({
      name: "UnsupportedOperationException",
      $metadata: { httpStatusCode: 400 },
    });
    const credentials = { ...emulator.rootCredentials, secretAccessKey: "wrong" };
    const stranger = new sdk.KMSClient({ ...options, credentials });
    await expect(stranger.send(new sdk.ListRetirableGrantsCommand({ RetiringPrincipal: "x" }))).rejects.toMatchObject({
      name: "InvalidSignatureException",
    });
  });

  it("that nobody knows answer UnknownOperationException", async () => {
    await using emulator = await startKmsEmulator();
    for (const target of [
      "TrentService.Nothing",
      "TrentService.sign",
      "TrentService.toString",
      "DynamoDB.ListTables",
      "",
    ]) {
      const headers = { "x-amz-target": target, "content-type": "application/x-amz-json-1.1" };
      const response = await fetch(emulator.endpoint, { method: "POST", headers, body: "{}" });
      expect([response.status, await response.json()]).toEqual([400, { __type: "UnknownOperationException" }]);
    }
  });
});

describe("requests", () => {
  const cases = [
    ["text that is not JSON", "{", "SerializationException"],
    ["an array", "[]", "Start of list found where not expected"],
    ["nothing", "", "SerializationException"],
    ["a number for a text", '{"KeyId":1}', "NUMBER_VALUE cannot be converted to String"],
    ["a fraction for a text", '{"KeyId":1.5}', "DECIMAL_VALUE cannot be converted to String"],
    ["a boolean for a text", '{"KeyId":true}', "TRUE_VALUE cannot be converted to String"],
    ["an object for a text", '{"KeyId":{}}', "Start of structure or map found where not expected."],
    ["a list for a text", '{"KeyId":[]}', "Start of list found where not expected"],
    ["bytes that are not base64", '{"KeyId":"x","Plaintext":"@@@@"}', "Invalid base64 encoding"],
    ["bytes in the URL alphabet", '{"KeyId":"x","Plaintext":"__-_"}', "Invalid base64 encoding"],
    ["bytes without padding", '{"KeyId":"x","Plaintext":"YQ"}', "Invalid base64 encoding"],
    ["a text for a boolean", '{"KeyId":"x","DryRun":"true"}', "STRING_VALUE cannot be converted to Boolean"],
    ["an object for a list", '{"KeyId":"x","GrantTokens":{}}', "Expected list or null"],
    ["a number in a map", '{"KeyId":"x","EncryptionContext":{"a":1}}', "NUMBER_VALUE cannot be converted to String"],
    [
      "two missing members",
      "{}",
      "2 validation errors detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null; Value at 'plaintext' failed",
    ],
    [
      "null for a missing member",
      '{"KeyId":null,"Plaintext":"YQ=="}',
      "1 validation error detected: Value null at 'keyId'",
    ],
    [
      "a name that is too long",
      JSON.stringify({ KeyId: "x".repeat(2049), Plaintext: "YQ==" }),
      "Member must have length less than or equal to 2048",
    ],
    [
      "a name that is not ASCII",
      JSON.stringify({ KeyId: "é", Plaintext: "YQ==" }),
      "Member must satisfy regular expression pattern: ^\\p{ASCII}+$",
    ],
    [
      "eleven grant tokens",
      JSON.stringify({ KeyId: "x", Plaintext: "YQ==", GrantTokens: Array(11).fill("t") }),
      "at 'grantTokens' failed to satisfy constraint: Member must have length less than or equal to 10",
    ],
    [
      "an empty grant token",
      '{"KeyId":"x","Plaintext":"YQ==","GrantTokens":["a",""]}',
      "Value '' at 'grantTokens.2.member' failed",
    ],
    ["members that nobody knows", '{"KeyId":"x","Plaintext":"YQ==","Nothing":1}', "Invalid keyId 'x'"],
  ] as const;

  it.for(cases)("with %s are refused in the service's words", async ([, body, expected]) => {
    await using emulator = await startKmsEmulator();
    const credentials = emulator.rootCredentials;
    const client = new sdk.KMSClient({
      requestHandler: emulator.requestHandler,
      region: "us-east-1",
      maxAttempts: 1,
      credentials,
    });
    client.middlewareStack.add(
      (next) => (args) => {
        (args.request as { body: string }).body = body;
        return next(args);
      },
      { step: "build", priority: "high" },
    );
    const error: unknown = await client
      .send(new sdk.EncryptCommand({ KeyId: "x", Plaintext: Uint8Array.of(1) }))
      .catch((e: unknown) => e);
    expect(`${(error as Error).name}: ${(error as Error).message}`).toContain(expected);
  });
});
