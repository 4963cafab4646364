import { describe, expect, it } from "vitest";
import { isCredentialIssuer, labelValue, natsType, splitLabel, svidKind } from "./labels.js";
import type { KeyType } from "./vocabulary.js";

describe("labelValue", () => {
  it("answers with the first match, split at the first = (§1.9)", () => {
    expect(labelValue(["x=1", "team=a=b", "team=c"], "team")).toBe("a=b");
    expect(labelValue(["team="], "team")).toBe("");
  });

  it("never answers with a bare slug (§1.9)", () => {
    expect(labelValue(["team", "teams=1"], "team")).toBeUndefined();
    expect(labelValue(["team", "team=late"], "team")).toBe("late");
  });
});

describe("splitLabel", () => {
  it("tells a slug from an empty value", () => {
    expect(splitLabel("a")).toEqual({ name: "a" });
    expect(splitLabel("a=")).toEqual({ name: "a", value: "" });
  });
});

describe("natsType and svidKind", () => {
  it("know their own words and no others (§1.9)", () => {
    expect(
      ["A", "C", "N", "O", "U", "X", "a", "AA", ""].map((value) => natsType({ labels: [`nats_type=${value}`] })),
    ).toEqual(["A", "C", "N", "O", "U", "X", undefined, undefined, undefined]);
    expect(["jwt", "x509", "JWT", ""].map((value) => svidKind({ labels: [`svid_kind=${value}`] }))).toEqual([
      "jwt",
      "x509",
      undefined,
      undefined,
    ]);
  });
});

describe("isCredentialIssuer", () => {
  it.for([
    [["svid_kind=jwt"], "rsa-2048", true],
    [["svid_kind=x509"], "ecdsa-p256", true],
    [["svid_kind=other"], "ecdsa-p256", false],
    [["svid_kind"], "ecdsa-p256", false],
    [["nats_type=O"], "ed25519-nkey", true],
    [["nats_type=A"], "ed25519-nkey", true],
    [["nats_type=A"], "ed25519", true],
    [["nats_type=U"], "ed25519-nkey", false],
    [["nats_type=X"], "ed25519-nkey", false],
    [["nats_type=N"], "ed25519-nkey", false],
    [["nats_type=C"], "ed25519-nkey", false],
    [[], "ed25519-nkey", true],
    [[], "ed25519", false],
  ] as [string[], KeyType, boolean][])("%j on %s: %s (§2.10, §9.3)", ([labels, keyType, issuer]) => {
    expect(isCredentialIssuer({ labels, keyType })).toBe(issuer);
  });
});
