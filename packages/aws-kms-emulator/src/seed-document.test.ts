import { describe, expect, it } from "vitest";
import { startKmsEmulator } from "./index.js";
import { parseSeedDocument } from "./seed-document.js";

describe("parseSeedDocument", () => {
  it("gives the options that an emulator starts with", async () => {
    const policy = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "kms:*", Resource: "*" }] };
    const text = JSON.stringify({
      region: "eu-west-1",
      keys: [{ spec: "ECC_NIST_P256", aliases: ["alias/signing"], tags: { a: "b" } }],
      users: [{ name: "ann", policies: [policy], accessKeyId: "AKIAANN", secretAccessKey: "s" }],
      roles: [{ name: "worker", policies: [policy] }],
      instanceProfiles: [{ name: "host", role: "worker" }],
      faults: [{ fault: { kind: "throttle" }, operation: "Sign" }],
      quotas: { ecc: 10 },
      latencyMs: { min: 0, max: 1 },
    });
    await using emulator = await startKmsEmulator(parseSeedDocument(text));
    expect(emulator.region).toBe("eu-west-1");
    expect(emulator.keys.list()).toMatchObject([{ spec: "ECC_NIST_P256", aliases: ["alias/signing"] }]);
    expect(emulator.faults.pending).toHaveLength(1);
  });

  it.for([
    ["text that is not JSON", "{", "", "is not JSON"],
    ["an unknown member", '{"kays":[]}', "", "kays"],
    ["an unknown spec", '{"keys":[{"spec":"P256"}]}', "keys[0].spec", "ECC_NIST_P256"],
    ["a user without a name", '{"users":[{}]}', "users[0].name", "string"],
    ["a fault that is none", '{"faults":[{"fault":{"kind":"explode"}}]}', "faults[0].fault.kind", "faults"],
  ] as const)("refuses %s and names the place", ([, text, path, message]) => {
    expect(() => parseSeedDocument(text)).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID", details: { path }, message: expect.stringContaining(message) }),
    );
  });

  it("lists every refusal at once", () => {
    expect(() => parseSeedDocument('{"keys":[{"spec":"a"}],"users":[{}],"more":1}')).toThrow(
      /keys\[0\]\.spec[\s\S]*users\[0\]\.name[\s\S]*more/,
    );
  });
});
