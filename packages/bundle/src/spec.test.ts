import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isBundleError } from "./errors.js";
import { parseBackendSpec, parseOpenSpec, parseSlotSpec } from "./spec.js";

const syntax = expect.objectContaining({ code: "SPEC_SYNTAX" });

describe("parseSlotSpec", () => {
  it.each([
    ["passphrase:file=/run/pass", "passphrase", { file: "/run/pass" }],
    ["passphrase:file=/run/a=b,label=ops", "passphrase", { file: "/run/a=b", label: "ops" }],
    ["bip39", "bip39", {}],
    ["age:recipient=age1abc", "age", { recipient: "age1abc" }],
    ["tpm:pcrs=0,2,4,7", "tpm", { pcrs: "0,2,4,7" }],
    ["tpm:pcrs=0,2,bank=sha256", "tpm", { pcrs: "0,2", bank: "sha256" }],
  ])("takes %s apart", (text, type, fields) => {
    const spec = parseSlotSpec(text);
    expect({ type: spec.type, fields: Object.fromEntries(spec.fields) }).toEqual({ type, fields });
  });

  it.each([
    "",
    "Passphrase:file=a",
    "passphrase:",
    "passphrase:file",
    "passphrase:file=",
    "passphrase:=a",
    "passphrase:file=a,file=b",
    "passphrase:file=a,",
    "passphrase:file=a,,label=b",
    "passphrase:file=a,b",
    "passphrase:files=a",
    "tpm:pcrs=0,",
    "__proto__:file=a",
  ])("refuses %j as a usage error", (text) => {
    expect(() => parseSlotSpec(text)).toThrow(syntax);
  });

  it("names an unknown type before it judges the fields", () => {
    expect(() => parseSlotSpec("pass:file")).toThrow(/type "pass" is unknown/);
  });
});

describe("parseOpenSpec", () => {
  it("takes an identity where a slot takes a recipient", () => {
    expect(parseOpenSpec("age:identity=id.txt").fields.get("identity")).toBe("id.txt");
    expect(() => parseOpenSpec("age:recipient=age1abc")).toThrow(syntax);
    expect(() => parseSlotSpec("age:identity=id.txt")).toThrow(syntax);
  });
});

describe("parseBackendSpec", () => {
  it("takes id, type and the fields of the type", () => {
    const spec = parseBackendSpec("id=kms,type=aws-kms,region=us-east-1,profile=basil-agent");
    expect(spec).toMatchObject({ id: "kms", type: "aws-kms" });
    expect(Object.fromEntries(spec.fields)).toEqual({ region: "us-east-1", profile: "basil-agent" });
  });

  it.each([
    "",
    "kms",
    "id=kms",
    "type=aws-kms",
    "id=,type=aws-kms",
    "id= ,type=a",
    "id=a ,type=b",
    "id=a,id=b,type=c",
    "id=a,type=b,pcrs",
  ])("refuses %j as a usage error", (text) => {
    expect(() => parseBackendSpec(text)).toThrow(syntax);
  });

  it("answers any text with a spec or a coded error", () => {
    const piece = fc.constantFrom("id", "type", "=", ",", ":", "kms", "pcrs", "passphrase", "file", " ", "\0", "ü");
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join("")),
        ),
        (text) => {
          for (const parse of [parseBackendSpec, parseSlotSpec, parseOpenSpec]) {
            try {
              parse(text);
            } catch (error) {
              expect(isBundleError(error) && error.code).toBe("SPEC_SYNTAX");
            }
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
