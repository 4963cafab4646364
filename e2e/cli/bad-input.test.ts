import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { typed } from "./typed.js";

let folder: string;
let silent: Server;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-bad-"));
  await writeFile(join(folder, "bad.json"), '{"schemaVersion": 1,');
  await writeFile(join(folder, "bad.toml"), "polcy = 'x'\n");
  await writeFile(join(folder, "catalog.json"), '{"schemaVersion":1,"backends":{},"keys":{}}');
  await writeFile(join(folder, "policy.json"), '{"schemaVersion":2}');
  await writeFile(join(folder, "file"), "");
  // Takes connections and never says a word.
  silent = createServer(() => {}).listen(join(folder, "silent.sock"));
  await new Promise((resolve) => silent.once("listening", resolve));
});
afterAll(async () => {
  silent.close();
  await rm(folder, { recursive: true });
});

/** Two lines: what happened, and what to do. No stack. */
function expectTwoSentences(stderr: string): void {
  expect(stderr).toMatch(/^error: .+\n(?: {2}.+\n)*hint: .+\n$/);
  expect(stderr).not.toContain("    at ");
}

describe("a command line that basil does not take ends with 2", () => {
  it.for([
    ["basil", ""],
    ["basil bundle", ""],
    ["basil nonsense", "unknown command 'nonsense'"],
    ["basil lst", "(Did you mean list?)"],
    ["basil sign --key-id k --nope", "unknown option '--nope'"],
    ["basil sign", "required option '--key-id <name>' not specified"],
    ["basil sign --key-id k one two", "too many arguments"],
    ["basil sign --key-id k --file f text", "the payload is given twice"],
    ["basil verify --key-id k text", "required option '--signature <hex>' not specified"],
    ["basil verify --key-id k --signature 0g text", "It is not hex"],
    ["basil verify --key-id k --signature 012 text", "It is not hex"],
    ["basil encrypt --key-id k --algorithm rot13 text", "Allowed: aes256-gcm, chacha20-poly1305."],
    ["basil encrypt --key-id k --aad-hex zz text", "It is not hex"],
    ["basil decrypt --key-id k --algorithm aes256-gcm --version x --nonce 00 --ciphertext 00", "whole number"],
    ["basil decrypt --key-id k --algorithm aes256-gcm --version 1 --nonce 00", "give the ciphertext once"],
    ["basil new-key --key-type dsa", "Allowed choices are ed25519,"],
    ["basil pubkey --key-id k --format xml", "Allowed choices are pem, jwk, ssh, raw, der"],
    ["basil ready --wait soon", "number of seconds"],
    ["basil sign --key-id k --timeout 0 text", "number of seconds"],
    ["basil explain --subject s --op sign", "--key is missing"],
    ["basil explain --subject s --op sgn --key k", "did you mean sign?"],
    ["basil agent --log-level loud", "Allowed choices are"],
    ["basil bundle create b --slot tape:file=x", 'type "tape" is unknown'],
    ["basil bundle set-backend b --backend kms --open passphrase:file=x", "not KEY=VALUE"],
    ["basil bundle set-backend b --backend id=kms,type=aws-kms --open passphrase:file=x", "aws-kms needs region="],
    ["basil bundle set-backend b --backend id=g,type=gcp-kms,project=p --open passphrase:file=x", "needs location="],
    [
      "basil bundle set-backend b --backend id=v,type=vault --open passphrase:file=x",
      "needs exactly one of token-file",
    ],
    ["basil bundle create b --slot passphrase", "exactly one of file=FILE"],
    ["basil bundle create b --slot age", "age needs recipient="],
    ["basil bundle create b --slot aws-kms:key=alias/k", "aws-kms needs region="],
    ["basil catalog check catalog.json", "give it as --catalog catalog.json\n"],
    ["basil policy lint policy.json --catalog catalog.json", "give it as --policy policy.json\n"],
    ["basil doctor agent.toml", "give it as --config agent.toml\n"],
    ["basil agent agent.toml", "give it as --config agent.toml\n"],
    ["basil keys jwt.signing --region us-east-1", "give it as --key-id jwt.signing\n"],
    ["basil provision it's", "give it as --key-id 'it'\\''s'\n"],
  ] as const)("%s", async ([line, what]) => {
    const { exitCode, stdout, stderr } = await typed(line, { cwd: folder });
    expect(exitCode).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(what);
    if (what !== "") expectTwoSentences(stderr);
  });
});

describe("a file that cannot be used ends with 1 and is named", () => {
  it.for([
    ["basil sign --key-id k --file absent", "the file absent cannot be read: there is no such file"],
    ["basil sign --key-id k --file file/x", "the file file/x cannot be read: a part of the path is not a directory"],
    ["basil sign --key-id k --file .", "the file . cannot be read: it is a directory"],
    ["basil agent -c absent.toml", "the configuration absent.toml cannot be read: there is no such file"],
    ["basil agent -c bad.toml", "polcy is not a key of this file; did you mean policy?"],
    ["basil agent --catalog bad.json --policy policy.json", "bad.json is refused"],
    ["basil agent --catalog absent.json --policy policy.json", "absent.json cannot be read"],
    ["basil agent --catalog catalog.json --policy catalog.json", "schemaVersion"],
    ["basil explain --catalog bad.json --policy policy.json --subject s --effective", "bad.json is refused"],
    ["basil bundle show absent.sealed", "absent.sealed does not exist"],
    [
      "basil bundle set-backend b --backend id=v,type=vault,token-file=absent --open passphrase:file=x",
      "absent does not",
    ],
    [
      "basil bundle set-backend b --backend id=v,type=vault,addr=ftp://v,token-file=t --open passphrase:file=x",
      "addr is",
    ],
    ["basil bundle create b --slot passphrase:env=ABSENT", "the environment has no variable ABSENT"],
    ["basil bundle create b --slot passphrase:fd=x", 'fd is "x"'],
    ["basil bundle show file", "file"],
  ] as const)("%s", async ([line, what]) => {
    const { exitCode, stdout, stderr } = await typed(line, { cwd: folder });
    expect(exitCode).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain(what);
    expectTwoSentences(stderr);
  });
});

describe("a folder as standard input ends with 1, and nothing is done with an empty message", () => {
  it.for([
    "basil sign --key-id k",
    "basil verify --key-id k --signature 00 -",
    "basil seal k -o sealed",
    "basil open -o opened",
    "basil audit verify -",
    "basil bundle create b --slot passphrase:stdin=true",
  ])("%s < .", async (line) => {
    const { exitCode, stdout, stderr } = await typed(line, { cwd: folder, stdinFile: folder });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain("standard input cannot be read: it is a directory");
    expectTwoSentences(stderr);
  });
});

describe("a broker that does not answer", () => {
  it.for(["basil health", "basil list", "basil sign --key-id k text", "basil ready --wait 0.2"])(
    "%s ends with 3 when nothing is at the socket",
    async (line) => {
      const { exitCode, stdout, stderr } = await typed(line, { env: { BASIL_SOCKET: join(folder, "no.sock") } });
      expect(exitCode).toBe(3);
      expect(stdout).toBe("");
      expect(stderr).toContain("no.sock");
      expectTwoSentences(stderr);
    },
  );

  it("ends with 3 when the socket is a plain file", async () => {
    expect(await typed("basil health --socket file", { cwd: folder })).toMatchObject({ exitCode: 3 });
  });

  it("takes --socket before and after the command, and above the environment", async () => {
    const env = { BASIL_SOCKET: join(folder, "no.sock") };
    for (const line of ["basil --socket /nowhere/a.sock health", "basil health --socket /nowhere/a.sock"]) {
      const { exitCode, stderr } = await typed(line, { env });
      expect(exitCode).toBe(3);
      expect(stderr).toContain("/nowhere/a.sock");
    }
  });

  it.for(["basil health --timeout 0.3", "basil sign --key-id k --timeout 0.3 text"])(
    "%s ends with 5 when it says nothing",
    async (line) => {
      const { exitCode, stderr } = await typed(line, { env: { BASIL_SOCKET: join(folder, "silent.sock") } });
      expect(stderr).toContain("no answer within 0.3 s");
      expect(exitCode).toBe(5);
      expectTwoSentences(stderr);
    },
  );

  it.for(["SIGINT", "SIGTERM"] as const)("ends with 5 when it is interrupted by %s", async (signal) => {
    const { exitCode, stderr } = await typed("basil health", {
      env: { BASIL_SOCKET: join(folder, "silent.sock") },
      onSpawn: (kill) => setTimeout(() => kill(signal), 1000),
    });
    expect(stderr).toContain(`interrupted by ${signal}`);
    expect(exitCode).toBe(5);
  });
});

describe("--debug", () => {
  it("adds the stack and the causes, and changes nothing else", async () => {
    const line = `basil health --debug --socket ${join(folder, "no.sock")}`;
    const { exitCode, stderr } = await typed(line);
    expect(exitCode).toBe(3);
    expect(stderr).toContain("    at ");
    expect(stderr).toContain("caused by: ");
  });
});

describe("standard output that takes nothing", () => {
  it.runIf(process.platform === "linux")("ends the command with 1, and one sentence of why", async () => {
    const { exitCode, stderr } = await typed("basil --help", { stdoutFile: "/dev/full" });
    expectTwoSentences(stderr);
    expect(stderr).toContain("standard output cannot be written: ENOSPC");
    expect(exitCode).toBe(1);
  });
});

describe("a reader that goes away", () => {
  it("ends the command with 1, and without a word", async () => {
    const { exitCode, stderr } = await typed("basil --help", { deaf: true });
    expect(stderr).toBe("");
    expect(exitCode).toBe(1);
  });
});
