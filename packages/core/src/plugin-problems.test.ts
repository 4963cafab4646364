import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { capabilitiesProblems } from "./capability/capabilities-problems.js";
import { pluginProblems } from "./plugin-problems.js";

const capabilities = {
  engines: ["transit"],
  keyTypes: {
    ed25519: { operations: ["sign", "verify", "publicKey"], message: { min: 0, max: 4096 } },
    "aes-256-gcm": { operations: ["encrypt", "decrypt"], plaintext: { min: 1 } },
  },
  features: ["hsm"],
};
const plugin = { kind: "acme-hsm", credentialSchema: z.strictObject({}), capabilities, open: async () => {} };

describe("pluginProblems", () => {
  it("finds none in a plugin, whichever other members it has", () => {
    expect(pluginProblems({ ...plugin, version: 3 })).toEqual([]);
  });

  it.for([
    ["no object", 7, /^a plugin must be an object, found number$/],
    ["nothing", undefined, /^a plugin must be an object, found undefined$/],
    ["a kind in capitals", { ...plugin, kind: "Acme" }, /^kind must be .*found "Acme"$/],
    ["no kind", { ...plugin, kind: undefined }, /^kind must be .*found undefined$/],
    ["a schema that is none", { ...plugin, credentialSchema: {} }, /^credentialSchema must be a zod schema/],
    ["no open", { ...plugin, open: undefined }, /^open must be a function, found undefined$/],
    ["no capabilities", { ...plugin, capabilities: undefined }, /^capabilities must be an object, found undefined$/],
    [
      "a member that throws",
      {
        get kind() {
          throw new Error("not today");
        },
      },
      /^a member cannot be read: not today$/,
    ],
  ] as const)("refuses %s in one line", ([, value, problem]) => {
    expect(pluginProblems(value)).toEqual([expect.stringMatching(problem)]);
  });

  it("says something of any other value, and never throws", () => {
    fc.assert(fc.property(fc.anything(), (value) => pluginProblems(value).length > 0));
  });
});

describe("capabilitiesProblems", () => {
  const withKeyType = (claim: unknown, keyType = "ed25519") => ({ ...capabilities, keyTypes: { [keyType]: claim } });

  it.for([
    ["an unknown engine", { ...capabilities, engines: ["transit", "warp"] }, /engines has "warp"; allowed: transit/],
    ["an engine twice", { ...capabilities, engines: ["transit", "transit"] }, /engines lists something twice/],
    ["engines that are no list", { ...capabilities, engines: "transit" }, /engines must be a list, found "transit"/],
    ["key types without transit", { ...capabilities, engines: [] }, /engines has no transit/],
    ["an unknown key type", withKeyType({ operations: ["sign"] }, "rsa-1024"), /rsa-1024 is no key type; there are /],
    ["an unknown operation", withKeyType({ operations: ["sing"] }), /ed25519\.operations has "sing"; allowed: sign/],
    ["no operation", withKeyType({ operations: [] }), /ed25519\.operations is empty; leave the key type out/],
    ["a range upside down", withKeyType({ operations: ["sign"], message: { min: 2, max: 1 } }), /found 2 to 1/],
    ["a range of fractions", withKeyType({ operations: ["sign"], message: { min: 0.5 } }), /message must be whole/],
    [
      "a range that is none",
      withKeyType({ operations: ["sign"], message: 5 }),
      /message must be \{ min, max \}, found 5/,
    ],
    ["a misspelt range", withKeyType({ operations: ["sign"], mesage: { min: 1 } }), /unknown member "mesage"/],
    ["features that are no texts", { ...capabilities, features: [1] }, /features must hold texts/],
    [
      "too many features",
      { ...capabilities, features: Array(257).fill("x") },
      /features must be a list of at most 256/,
    ],
    ["a member too many", { ...capabilities, magic: true }, /unknown member "magic"; allowed: engines/],
  ] as const)("refuses %s, and names the place", ([, value, problem]) => {
    expect(capabilitiesProblems(value)).toEqual([expect.stringMatching(problem)]);
  });

  it("lists every problem", () => {
    expect(capabilitiesProblems({})).toHaveLength(3);
  });
});
