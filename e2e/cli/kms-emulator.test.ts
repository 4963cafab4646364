import { describe, expect, it } from "vitest";
import { typed } from "./typed.js";

describe("basil kms-emulator", () => {
  it("hands its flags to the emulator, and gives back its exit code", async () => {
    const help = await typed("basil kms-emulator -- --help");
    expect(help).toMatchObject({ exitCode: 0, stderr: "" });
    expect(help.stdout).toContain("--port");
    const refused = await typed("basil kms-emulator -- --no-such-flag");
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toContain("no-such-flag");
  });

  it("runs until it is told to stop", async () => {
    const { exitCode, stderr } = await typed("basil kms-emulator -- --port 0", {
      onSpawn: (kill) => setTimeout(() => kill("SIGTERM"), 2500),
    });
    expect(stderr).toContain("listening on http://127.0.0.1:");
    expect(exitCode).toBe(0);
  });
});
