import { describe, expect, it } from "vitest";
import { typed } from "./typed.js";

const COMMANDS = [
  "get",
  "set",
  "rotate",
  "mint-jwt",
  "reload",
  "revoke",
  "watch",
  "init",
  "jwks",
  "iam policy",
  "iam trust",
  "iam diff",
  "provision rotate",
  "keys",
  "agent",
  "doctor",
  "explain",
  "bundle create",
  "bundle set-backend",
  "bundle show",
  "new-key",
  "list",
  "pubkey",
  "sign",
  "verify",
  "encrypt",
  "decrypt",
  "status",
  "health",
  "ready",
  "demo",
  "kms-emulator",
  "completions",
];

describe("basil --help", () => {
  it("lists every command on standard output", async () => {
    const { exitCode, stdout, stderr } = await typed("basil --help");
    expect(exitCode).toBe(0);
    expect(stderr).toBe("");
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command.split(" ")[0]}\\b`, "m"));
  });

  it.for(COMMANDS)("basil %s --help shows flags and an example", async (command) => {
    const { exitCode, stdout, stderr } = await typed(`basil ${command} --help`);
    expect(exitCode).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toContain(`Usage: basil ${command}`);
    expect(stdout).toContain("--json");
    expect(stdout).toContain("--socket");
    expect(stdout).toContain(`  $ basil ${command}`);
  });

  it.for(["basil --version", "basil -V"])("%s prints the name and the version", async (line) => {
    const { exitCode, stdout } = await typed(line);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^basil \d+\.\d+\.\d+\n$/);
  });

  it.for([
    ["basil statsu --help", "unknown command 'statsu' (Did you mean status?)"],
    ["basil nosuch --help", "unknown command 'nosuch'"],
    ["basil help statsu", "unknown command 'statsu' (Did you mean status?)"],
    ["basil bundle craete -h", "unknown command 'craete' (Did you mean create?)"],
  ] as const)("%s is a slip like one without it", async ([line, message]) => {
    const { exitCode, stdout, stderr } = await typed(line);
    expect(exitCode).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(`error: ${message}`);
  });

  it("basil help status is the help of status", async () => {
    const { exitCode, stdout } = await typed("basil help status");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("Usage: basil status");
  });

  it("writes colours only to a terminal", async () => {
    const { stdout } = await typed("basil --help", { env: { TERM: "xterm-256color", COLORTERM: "truecolor" } });
    expect(stdout).not.toContain("\u001b[");
  });
});
