import type { KeyRef } from "@basil/core";
import { describe, expect, it } from "vitest";
import { context } from "../test/call-context.js";
import { FakeKms, kmsFailure } from "../test/fake-kms.js";
import { awsKmsOver } from "./backend.js";

const key: KeyRef = { name: "k", path: "alias/k", keyType: "ed25519" };
const message = new TextEncoder().encode("hello");

/** A key that was rotated once. */
function rotatedOnce(verify: "kms" | "local") {
  const kms = new FakeKms();
  const [older, newer] = ["alias/k/v1", "alias/k/v2"].map((alias) =>
    kms.create("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", alias),
  );
  if (!older || !newer) throw new Error("no keys");
  kms.aliases.set("alias/k", older.id);
  const { transit } = awsKmsOver(kms, { verify, graceVersions: 1 });
  if (!transit) throw new Error("no transit engine");
  return { kms, transit, older, rotate: () => kms.aliases.set("alias/k", newer.id) };
}

describe.for(["kms", "local"] as const)("verify: %s, of a key whose older version is gone", (where) => {
  it.for(["Disabled", "PendingDeletion"])("says false, not that the key is unusable, when it is %s", async (state) => {
    const { transit, older, rotate } = rotatedOnce(where);
    const { signature } = await transit.sign(key, message, context());
    rotate();
    older.state = state;
    await expect(transit.verify(key, message, signature, context())).resolves.toMatchObject({ valid: false });
  });

  it("still says that a denial is one", async () => {
    const { kms, transit, rotate } = rotatedOnce(where);
    const { signature } = await transit.sign(key, message, context());
    rotate();
    kms.before = (action, { KeyId }) => {
      if (action !== "DescribeKey" && KeyId === "alias/k/v1") throw kmsFailure("AccessDeniedException", "no");
    };
    await expect(transit.verify(key, message, signature, context())).rejects.toMatchObject({ code: "ACCESS_DENIED" });
  });
});
