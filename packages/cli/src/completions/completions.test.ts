import { execFileSync } from "node:child_process";
import { Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { commandWords } from "./command-words.js";
import { completionScript, SHELLS } from "./scripts.js";

function program(): Command {
  const tree = new Command("basil").option("--debug", "show causes");
  tree.command("sign").description("sign it").requiredOption("--key-id <name>", "which key").option("-v", "short only");
  tree.command("pubkey").addOption(new Option("-f, --format <format>", "how").choices(["pem", "jwk"]));
  const group = tree.command("bundle").description("the bundle's things");
  group.command("create").option("--slot <spec>", "a way in");
  group.command("show");
  return tree;
}

describe("commandWords", () => {
  it("lists every command with its flags, and help nowhere", () => {
    const words = commandWords(program());
    expect(words.map(({ path }) => path.join(" "))).toEqual([
      "",
      "sign",
      "pubkey",
      "bundle",
      "bundle create",
      "bundle show",
    ]);
    expect(words[0]?.subcommands.map(({ name }) => name)).toEqual(["sign", "pubkey", "bundle"]);
    const pubkey = words.find(({ path }) => path[0] === "pubkey");
    expect(pubkey?.flags).toContainEqual({
      long: "--format",
      short: "-f",
      summary: "how",
      takesValue: true,
      choices: ["pem", "jwk"],
    });
  });
});

describe("completionScript", () => {
  const words = commandWords(program());

  it.for(SHELLS)("names every command and flag for %s", (shell) => {
    const script = completionScript(shell, words);
    for (const word of ["sign", "pubkey", "bundle", "create", "show", "key-id", "slot", "format", "pem", "jwk"]) {
      expect(script).toContain(word);
    }
  });

  /** What bash offers after these words; the last is what is being typed. */
  function offered(...typed: string[]): string[] {
    const script = `${completionScript("bash", words)}
COMP_WORDS=(basil ${typed.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${typed.length}; _basil; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const out = execFileSync("bash", ["--norc", "-c", script], { encoding: "utf8" });
    return out.split("\n").filter((word) => word !== "");
  }

  it("offers in bash what can come next", () => {
    expect(offered("")).toEqual(["sign", "pubkey", "bundle", "--debug", "--help"]);
    expect(offered("b")).toEqual(["bundle"]);
    expect(offered("bundle", "")).toEqual(["create", "show", "--help"]);
    expect(offered("bundle", "create", "--s")).toEqual(["--slot"]);
    expect(offered("sign", "--k")).toEqual(["--key-id"]);
    expect(offered("pubkey", "--format", "")).toEqual(["pem", "jwk"]);
  });
});
