import { describe, expect, it } from "vitest";
import type { Capabilities } from "../capabilities.js";
import { capabilityMatrix, renderCapabilityMatrix, renderEngineTable } from "./capability-matrix.js";

const provided = new Map<string, Capabilities>([
  [
    "aws-kms",
    {
      engines: ["transit"],
      keyTypes: {
        "aes-256-gcm": { operations: ["encrypt", "decrypt"], plaintext: { min: 1, max: 4096 } },
        ed25519: { operations: ["sign", "verify"], message: { min: 1, max: 4096 } },
        "ecdsa-p256": { operations: ["sign"], message: { min: 0 } },
      },
      features: [],
    },
  ],
  ["values", { engines: ["kv2"], keyTypes: {}, features: ["versions"] }],
]);

describe("capabilityMatrix", () => {
  it("has a row for each key type a kind backs, in the order of the catalog's vocabulary", () => {
    const rows = capabilityMatrix(provided).map(({ kind, keyType }) => [kind, keyType]);
    expect(rows).toEqual([
      ["aws-kms", "ed25519"],
      ["aws-kms", "ecdsa-p256"],
      ["aws-kms", "aes-256-gcm"],
    ]);
  });
});

describe("renderCapabilityMatrix", () => {
  it("is an aligned Markdown table", () => {
    expect(renderCapabilityMatrix(provided)).toBe(
      `
| kind    | key type    | sign | verify | publicKey | encrypt | decrypt | createKey | rotate | message bytes | plaintext bytes |
| ------- | ----------- | ---- | ------ | --------- | ------- | ------- | --------- | ------ | ------------- | --------------- |
| aws-kms | ed25519     | yes  | yes    | -         | -       | -       | -         | -      | 1 to 4096     | -               |
| aws-kms | ecdsa-p256  | yes  | -      | -         | -       | -       | -         | -      | 0 or more     | -               |
| aws-kms | aes-256-gcm | -    | -      | -         | yes     | yes     | -         | -      | -             | 1 to 4096       |
`.trim(),
    );
  });
});

describe("renderEngineTable", () => {
  it("shows engines and capabilities of every kind, also of one that holds no keys", () => {
    expect(renderEngineTable(provided)).toBe(
      `
| kind    | engines | capabilities |
| ------- | ------- | ------------ |
| aws-kms | transit | -            |
| values  | kv2     | versions     |
`.trim(),
    );
  });
});
