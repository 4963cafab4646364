import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { hasPython, pythonVenv } from "./python.js";

describe.skipIf(!hasPython())("pythonVenv", () => {
  it("gives everyone who asks at once the same environment, with the packages in it", {
    timeout: 300_000,
  }, async () => {
    const paths = await Promise.all([pythonVenv(["six==1.17.0"]), pythonVenv(["six==1.17.0"])]);
    expect(paths[0]).toBe(paths[1]);
    const version = execFileSync(paths[0] ?? "", ["-c", "import six; print(six.__version__)"], { encoding: "utf8" });
    expect(version.trim()).toBe("1.17.0");
  });
});
