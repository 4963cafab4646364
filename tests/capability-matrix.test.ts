import { describe, expect, it } from "vitest";
import { capabilityMatrixDocument } from "../scripts/capability-matrix.js";

describe("docs/capability-matrix.md", () => {
  it("is what the backends' own tables give", async () => {
    await expect(capabilityMatrixDocument()).toMatchFileSnapshot("../docs/capability-matrix.md");
  });
});
