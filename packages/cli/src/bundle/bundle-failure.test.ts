import { BundleError } from "@basil/bundle";
import { describe, expect, it } from "vitest";
import { toCliError } from "./bundle-failure.js";

describe("toCliError", () => {
  it("says what to do to whoever opens a bundle, by a command with flags or as an agent without", () => {
    const older = new BundleError("ROLLED_BACK", "an older copy", { epoch: 1, sidecarEpoch: 2 });
    expect(toCliError(older)).toMatchObject({
      code: "FAILED",
      message: "an older copy [ROLLED_BACK]",
      remedy: expect.stringMatching(/^restore the newest copy; .* a bundle command with --accept-rollback$/),
    });
    const unopened = new BundleError("NO_SLOT_OPENED", "no slot", { kinds: ["age"] });
    expect(toCliError(unopened).remedy).toContain("by --open or [unlock]");
  });
});
