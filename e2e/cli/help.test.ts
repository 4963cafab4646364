import { describe, expect, it } from "vitest";
import { commandTree } from "./command-tree.js";
import { typed } from "./typed.js";

const COMMANDS = await commandTree();
const WAITING = ["import", "import-set", "mint-nats-user", "sign-nats-jwt", "issue-nats-creds", "issue-cert"];

describe("basil --help", () => {
  it("lists every command on standard output", async () => {
    const { exitCode, stdout, stderr } = await typed("basil --help");
    expect(exitCode).toBe(0);
    expect(stderr).toBe("");
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command.split(" ")[0]}\\b`, "m"));
  });

  it.concurrent.for(COMMANDS)("basil %s --help shows flags and an example", async (command) => {
    const { exitCode, stdout, stderr } = await typed(`basil ${command} --help`);
    expect(exitCode).toBe(0);
    expect(stderr).toBe("");
    expect(stdout).toContain(`Usage: basil ${command}`);
    expect(stdout).toContain("--json");
    expect(stdout).toContain("--socket");
    // Of a group with a command that is meant when none is named, its own name will do.
    const [group] = command.split(" ");
    const named = stdout.includes(`  $ basil ${command}`) || stdout.includes(`| basil ${command}`);
    expect(named || (command === "provision create" && stdout.includes(`  $ basil ${group}`))).toBe(true);
  });

  it.for(["bundle", "catalog", "iam", "policy", "provision", "audit"])(
    "basil %s --help has an example",
    async (group) => {
      const { stdout } = await typed(`basil ${group} --help`);
      expect(stdout).toMatch(new RegExp(`^Examples:\n  \\$ .*basil ${group}`, "m"));
    },
  );

  it("names the commands that wait for the broker, and none of them is listed", async () => {
    const { stdout } = await typed("basil --help");
    expect(stdout).toContain(`Not part of this build, and say so: ${WAITING.join(", ")}.`);
    for (const name of WAITING) expect(stdout).not.toMatch(new RegExp(`^  ${name}\\b`, "m"));
  });

  it.for(WAITING)("basil %s says that it is not part of this build, whatever it is given", async (name) => {
    for (const line of [`basil ${name}`, `basil ${name} --key-id k --check file`]) {
      const { exitCode, stdout, stderr } = await typed(line);
      expect(stderr).toMatch(new RegExp(`^error: basil ${name} is not part of this build: .+\nhint: .+\n$`));
      expect(stdout).toBe("");
      expect(exitCode).toBe(1);
    }
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

  it.for(["basil --help", "basil bundle --help", "basil bundle create --help", "basil verify --help"])(
    "%s fits 80 columns but for whole command lines, and tells the flags of all commands last",
    async (line) => {
      const { stdout } = await typed(line);
      const [text = ""] = stdout.split("\nExamples:\n");
      const lines = text.split("\n").filter((each) => !each.startsWith("Not part of this build"));
      expect(lines.filter((each) => each.length > 80)).toEqual([]);
      expect(text).toMatch(/\nGlobal options:\n(?: {2}.*\n)+ {2}-h, --help/);
    },
  );

  it("is pointed to where the flags are, also those of a command that is meant when none is named", async () => {
    const { stderr } = await typed("basil provision --nope");
    const [, hinted = ""] = /'(basil [a-z -]+ --help)'/.exec(stderr) ?? [];
    expect(hinted).toBe("basil provision create --help");
    expect((await typed(hinted)).stdout).toContain("--region <region>");
  });

  it("writes colours only to a terminal", async () => {
    const { stdout } = await typed("basil --help", { env: { TERM: "xterm-256color", COLORTERM: "truecolor" } });
    expect(stdout).not.toContain("\u001b[");
  });
});
