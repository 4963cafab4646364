import type { KmsLiveFinding, KmsLiveReport } from "@basil/backend-aws-kms";
import { describe, expect, it } from "vitest";
import { liveRows } from "./live-rows.js";

const ARN = "arn:aws:kms:us-east-1:111122223333:key/1111abcd-12ab-34cd-56ef-1234567890ab";
const SESSION = "arn:aws:sts::111122223333:assumed-role/basil-agent/i-0123";
const CODES = [
  ...["credentials", "clock", "region", "unreachable", "absent", "state", "spec", "alias-moved", "denied"],
  ...["unproved", "dry-run-ignored", "excess"],
] as KmsLiveFinding["code"][];

const finding = (more: Partial<KmsLiveFinding> & Pick<KmsLiveFinding, "code">): KmsLiveFinding => ({
  severity: "fatal",
  key: "jwt",
  message: "what was found",
  ...more,
});
const report = (...findings: KmsLiveFinding[]): KmsLiveReport => ({
  region: "us-east-1",
  identity: { source: "the default AWS chain", arn: SESSION },
  keys: [],
  findings,
});
const rows = (findings: readonly KmsLiveFinding[], missing: "error" | "warn" | "generate" = "error") =>
  liveRows(
    "kms",
    report(...findings),
    [...new Set(findings.flatMap(({ key }) => key ?? []))].map((name) => ({ name, missing })),
  ).slice(1);

describe("liveRows", () => {
  it.for(CODES)("gives a remedy for %s, also when it is about no key in particular", (code) => {
    const of = finding({ code, action: "kms:Sign", resource: ARN });
    const { key: _, ...general } = of;
    for (const each of (code === "excess" ? [of] : [of, general]) as KmsLiveFinding[]) {
      const [first, second] = liveRows(
        "kms",
        report(each),
        each.key === undefined ? [] : [{ name: "jwt", missing: "error" }],
      );
      const row = each.key === undefined ? first : second;
      expect(row?.status).not.toBe("ok");
      expect(row?.remediation).not.toBe("");
      expect(`${row?.detail}${row?.remediation}`).not.toContain("undefined");
    }
  });

  it("puts all that is too much about a key into one row", () => {
    const excess = (key: string, action: KmsLiveFinding["action"]) =>
      finding({ code: "excess", severity: "warning", key, ...(action && { action }), resource: ARN });
    const found = rows([excess("a", "kms:Sign"), excess("b", "kms:Sign"), excess("a", "kms:Verify")]);
    expect(found).toMatchObject([
      { name: "live:a", status: "warn", detail: "kms:Sign, kms:Verify are allowed, and no rule needs them" },
      { name: "live:b", status: "warn", detail: "kms:Sign is allowed, and no rule needs it" },
    ]);
    expect(found[0]?.remediation).toContain(`kms:Sign, kms:Verify on ${ARN}`);
  });

  it("says of which version it is, a row for each, and what to do about one that is not in use", () => {
    const of = { severity: "warning", version: 1, resource: ARN } as const;
    const found = rows([
      finding({ code: "excess", action: "kms:Sign", ...of }),
      finding({ code: "excess", severity: "warning", action: "kms:Verify", resource: ARN }),
      finding({ code: "state", message: "version 1: its KeyState is Disabled", ...of }),
      finding({ code: "spec", message: "version 1: its KeySpec is RSA_2048", ...of }),
    ]);
    expect(found.map(({ detail }) => detail)).toEqual([
      "version 1: its KeyState is Disabled",
      "version 1: its KeySpec is RSA_2048",
      "version 1: kms:Sign is allowed, and no rule needs it",
      "kms:Verify is allowed, and no rule needs it",
    ]);
    expect(found.slice(0, 2).map(({ remediation }) => remediation)).toEqual([
      expect.stringContaining("as long as what was sealed or signed with it matters"),
      expect.stringContaining("the alias of that version"),
    ]);
  });

  it("shows the versions of a key that is well, each with what it may do and what is not proved", () => {
    const allowed = ["kms:DescribeKey", "kms:Verify"];
    const unproved = ["kms:RetireGrant: NotFoundException: no grant"];
    const key = {
      key: "jwt",
      path: "alias/jwt",
      arn: ARN,
      keySpec: "ECC_NIST_P256",
      keyUsage: "SIGN_VERIFY",
      keyState: "Enabled",
      allowed,
      unproved: [],
    };
    const version = { version: 1, arn: `${ARN}-1`, keyState: "Enabled", allowed, unproved };
    const [, row] = liveRows("kms", { ...report(), keys: [{ ...key, versions: [version] }] }, [
      { name: "jwt", missing: "error" },
    ]);
    expect(row).toMatchObject({ name: "live:jwt", status: "ok" });
    expect(row?.detail).toContain(
      `; version 1 is ${ARN}-1: Enabled, allowed: kms:DescribeKey, kms:Verify; not proved: kms:RetireGrant: NotFoundException`,
    );
  });

  it.for([
    ["identity-policy", `add to the identity's policy: {"Effect":"Allow","Action":"kms:Sign","Resource":"${ARN}"}`],
    [
      "key-policy",
      '"Principal":{"AWS":"arn:aws:iam::111122223333:role/basil-agent"},"Action":"kms:Sign","Resource":"*"',
    ],
    ["explicit-deny", "take that Deny out"],
    ["no-such-key", "correct the ARN in the catalog"],
    ["other", "a permissions boundary"],
  ] as const)("says what to do about a denial: %s", ([denial, remedy]) => {
    const denied = finding({ code: "denied", action: "kms:Sign", resource: ARN, denial });
    expect(rows([denied])[0]?.remediation).toContain(remedy);
  });

  it.for([
    ["error", "fatal", "create the key there"],
    ["warn", "warn", "create the key there"],
    ["generate", "warn", "an identity that may create it"],
  ] as const)("judges an absent key by its missing policy: %s", ([missing, status, remedy]) => {
    expect(rows([finding({ code: "absent" })], missing)).toMatchObject([
      { status, remediation: expect.stringContaining(remedy) },
    ]);
  });

  it("has a fatal row for each key that was not checked, and one for the backend", () => {
    const { identity: _, region: __, ...none } = report();
    const entries = ["a", "b", "c"].map((name) => ({ name, missing: "error" as const }));
    for (const code of ["credentials", "clock", "region", "unreachable"] as const) {
      const { key: ___, ...general } = finding({ code });
      for (const from of [none, report()]) {
        const all = liveRows(
          "kms",
          {
            ...from,
            keys: [{ key: "a", path: "alias/a", allowed: [], unproved: [], versions: [] }],
            findings: [general],
          },
          entries,
        );
        expect(all.map(({ name, status }) => [name, status])).toEqual(
          ["kms", "a", "b", "c"].map((name) => [`live:${name}`, "fatal"]),
        );
        expect(JSON.stringify(all)).not.toMatch(/undefined|NaN|\[object/);
      }
    }
  });

  it("warns of a clock that is off in the backend's row, and keeps the rows of keys that are in order", () => {
    const { key: _, ...clock } = finding({
      code: "clock",
      severity: "warning",
      message: "this host's clock is 600 s behind",
    });
    const more = { keySpec: "ECC_NIST_P256", keyUsage: "SIGN_VERIFY", keyState: "Enabled", allowed: [], unproved: [] };
    const key = { key: "jwt", path: "alias/jwt", arn: ARN, ...more, versions: [] };
    const all = liveRows("kms", { ...report(clock), keys: [key] }, [{ name: "jwt", missing: "error" }]);
    expect(all.map(({ name, status }) => [name, status])).toEqual([
      ["live:kms", "warn"],
      ["live:jwt", "ok"],
    ]);
    expect(all[0]?.detail).toContain("600 s behind");
  });
});
