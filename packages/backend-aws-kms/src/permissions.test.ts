import { describe, expect, it } from "vitest";
import { awsKmsActionsOnVersion, awsKmsPermissions } from "./permissions.js";

const RUNTIME = awsKmsPermissions.runtime.map(({ action }) => action);
const ON_ANY = ["kms:GetPublicKey", "kms:DescribeKey", "kms:Decrypt"];
const WITHIN_GRACE = ["kms:Verify", ...ON_ANY];

describe("awsKmsActionsOnVersion", () => {
  it.for([
    ["the version before", { version: 4, current: 5 }, WITHIN_GRACE],
    ["one that is out of the grace", { version: 3, current: 5 }, ON_ANY],
    ["one of a longer grace", { version: 2, current: 5, graceVersions: 3 }, WITHIN_GRACE],
    ["the version before, without grace", { version: 4, current: 5, graceVersions: 0 }, ON_ANY],
    ["one that is prepared", { version: 6, current: 5 }, ON_ANY],
  ] as const)("is never Sign or Encrypt, and for %s no more than is called on it", ([, version, actions]) => {
    expect(awsKmsActionsOnVersion(RUNTIME, version)).toEqual(actions);
  });

  it("adds nothing, and keeps the order", () => {
    expect(awsKmsActionsOnVersion(["kms:Decrypt", "kms:Sign"], { version: 1, current: 2 })).toEqual(["kms:Decrypt"]);
    expect(awsKmsActionsOnVersion([], { version: 1, current: 2 })).toEqual([]);
  });
});
