import { Command, CommanderError } from "commander";
import { describe, expect, it } from "vitest";
import { CliError } from "./cli-error.js";
import { commandPath, describeFailure } from "./failure.js";

describe("describeFailure", () => {
  it.for([
    ["the help of the command", new CliError("USAGE", "m", {}), "run 'basil sign --help' to see what it takes", 2],
    ["to run it again", new CliError("DEADLINE", "interrupted", {}), "run it again", 5],
    ["what the failure says", new CliError("DEADLINE", "m", {}, { remedy: "wait" }), "wait", 5],
    ["the help", new CommanderError(1, "commander.unknownOption", "error: m"), "run 'basil sign --help' to", 2],
    ["--debug", new TypeError("m"), "run it again with --debug", 1],
  ] as const)("hints at %s", ([, error, remedy, exitCode]) => {
    const failure = describeFailure(error, "basil sign");
    expect(failure).toMatchObject({ exitCode, remedy: expect.stringContaining(remedy) });
  });
});

describe("commandPath", () => {
  const program = new Command("basil");
  program.command("sign");
  const provision = program.command("provision");
  provision.command("create", { isDefault: true });
  provision.command("rotate");

  it.for([
    [["sign", "--nope"], "basil sign"],
    [["--debug", "provision", "rotate", "k"], "basil provision rotate"],
    [["provision", "--nope"], "basil provision create"],
    [["--nope"], "basil"],
  ] as const)("of %j is %j", ([argv, path]) => {
    expect(commandPath(program, argv)).toBe(path);
  });
});
