import { execFile } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { need } from "../bundle/terminal.js";
import { policyOfMe } from "../policy-of-me.js";
import { type RunningAgent, Stack } from "../stack.js";
import { type Answer, program, type TypeOptions, typed } from "./typed.js";

const KEYS = {
  "sign.p256": { keyType: "ecdsa-p256", spec: "ECC_NIST_P256", ssh: "ecdsa-sha2-nistp256" },
  "sign.p384": { keyType: "ecdsa-p384", spec: "ECC_NIST_P384", ssh: "ecdsa-sha2-nistp384" },
  "sign.p521": { keyType: "ecdsa-p521", spec: "ECC_NIST_P521", ssh: "ecdsa-sha2-nistp521" },
  "release.signing": { keyType: "ed25519", spec: "ECC_NIST_EDWARDS25519", ssh: "ssh-ed25519" },
} as const;
const names = Object.keys(KEYS) as (keyof typeof KEYS)[];
const alias = (name: string): string => `alias/basil/${name.replace(".", "-")}`;

let stack: Stack;
let agent: RunningAgent;
beforeAll(async () => {
  const keys = Object.fromEntries(
    names.map((name) => [
      name,
      {
        class: "asymmetric",
        keyType: KEYS[name].keyType,
        backend: "kms",
        engine: "transit",
        path: alias(name),
        writable: false,
        missing: "error",
        description: "signs for ssh-keygen",
      },
    ]),
  );
  const backends = { kms: { kind: "aws-kms", addr: "aws-kms:us-east-1", engines: ["transit"] } };
  const rule = {
    id: "sign",
    subjects: ["me"],
    action: ["op:sign", "op:verify", "op:get_public_key"],
    target: ["sign.**", "release.**"],
  } as const;
  const signOnly = { id: "sign-only", subjects: ["me"], action: ["op:sign"], target: ["bare.p256"] } as const;
  const bare = { ...keys["sign.p256"], path: "alias/basil/bare-p256" };
  const spec = "ECC_NIST_P256";
  stack = await Stack.start({
    catalog: JSON.stringify({ schemaVersion: 1, backends, keys: { ...keys, "bare.p256": bare } }),
    policy: policyOfMe(rule, signOnly),
    emulator: {
      keys: [
        ...names.map((name) => ({ spec: KEYS[name].spec, aliases: [alias(name)] })),
        { spec, aliases: [bare.path] },
      ],
    },
  });
  agent = await stack.startAgent();
});
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
});

const type = (line: string, options: TypeOptions = {}): Promise<Answer> =>
  typed(line, { env: stack.env, cwd: stack.folder, ...options });

async function answer(line: string, options: TypeOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await type(line, options);
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  return stdout;
}

/** Runs another program in the folder of this deployment. */
function run(file: string, args: readonly string[], input = ""): Promise<Answer> {
  return new Promise((resolve) => {
    const env = { ...stack.env, GIT_CONFIG_NOSYSTEM: "1" };
    const child = execFile(file, args, { cwd: stack.folder, env }, (_, stdout, stderr) =>
      resolve({ exitCode: child.exitCode, signal: child.signalCode, stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

describe.each(names)("basil sign --format sshsig, %s", (name) => {
  const file = (ending: string): string => join(stack.folder, `${name}.${ending}`);

  it("writes what ssh-keygen verifies, for a signer that is allowed and for whoever it is", async (context) => {
    need(context, "ssh-keygen");
    const sign = `basil sign --key-id ${name} --format sshsig --namespace file`;
    const pubkey = await answer(`basil pubkey --key-id ${name} --format ssh`);
    expect(pubkey.split(" ")[0]).toBe(KEYS[name].ssh);
    await writeFile(file("allowed"), `release@example.org ${pubkey}`);
    for (const hash of ["", " --hash sha256"]) {
      await writeFile(file("sig"), await answer(`${sign}${hash} hello`));
      const verify = [
        "-Y",
        "verify",
        "-f",
        file("allowed"),
        "-I",
        "release@example.org",
        "-n",
        "file",
        "-s",
        file("sig"),
      ];
      expect(await run("ssh-keygen", verify, "hello")).toMatchObject({ exitCode: 0 });
      expect(await run("ssh-keygen", verify, "hullo")).toMatchObject({ exitCode: 255 });
      const check = ["-Y", "check-novalidate", "-n", "file", "-s", file("sig")];
      expect(await run("ssh-keygen", check, "hello")).toMatchObject({ exitCode: 0 });
      expect(
        (await run("ssh-keygen", ["-Y", "check-novalidate", "-n", "git", "-s", file("sig")], "hello")).exitCode,
      ).not.toBe(0);
    }
  });

  it("is verified by the broker, and offline with the key in every form that pubkey prints", async () => {
    await writeFile(file("sig"), await answer(`basil sign --key-id ${name} --format sshsig --namespace file hello`));
    const by = `basil verify --format sshsig --namespace file --signature-file ${name}.sig`;
    expect(await answer(`${by} --key-id ${name} hello`)).toBe("true\n");
    const no = { exitCode: 1, stdout: "false\n", stderr: "" };
    expect(await type(`${by} --key-id ${name} hullo`)).toMatchObject(no);
    expect(await type(`${by.replace("namespace file", "namespace git")} --key-id ${name} hello`)).toMatchObject(no);
    await Promise.all(
      ["pem", "jwk", "ssh", "raw", "der"].map(async (format) => {
        await type(`basil pubkey --key-id ${name} --format ${format}`, { stdoutFile: file(format) });
        expect(await answer(`${by} --offline --pubkey ${name}.${format} hello`, { env: {} })).toBe("true\n");
      }),
    );
    expect(await type(`${by} --offline --pubkey ${name}.pem hullo`)).toMatchObject(no);
  });
});

describe("basil verify of what others sign", () => {
  it("takes a signature of ssh-keygen with the .pub file beside it", async (context) => {
    need(context, "ssh-keygen");
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", "theirs"]);
    await writeFile(join(stack.folder, "release"), "a release");
    await run("ssh-keygen", ["-q", "-Y", "sign", "-n", "file", "-f", "theirs", "release"]);
    const line =
      "basil verify --offline --pubkey theirs.pub --format sshsig --namespace file --signature-file release.sig";
    expect(await answer(`${line} --file release`)).toBe("true\n");
  });

  it("takes DER, by the broker and offline, as hex, base64 and bytes", async () => {
    await writeFile(join(stack.folder, "p256.pem"), await answer("basil pubkey --key-id sign.p256"));
    const hex = (await answer("basil sign --key-id sign.p256 --format der hello")).trim();
    await writeFile(join(stack.folder, "der.hex"), hex);
    await writeFile(join(stack.folder, "der.bin"), Buffer.from(hex, "hex"));
    const base64 = Buffer.from(hex, "hex").toString("base64");
    for (const key of ["--key-id sign.p256", "--offline --pubkey p256.pem"]) {
      for (const how of [
        `--signature ${hex}`,
        `--encoding base64 --signature ${base64}`,
        "--signature-file der.hex",
        "--encoding bin --signature-file der.bin",
      ]) {
        expect(await answer(`basil verify ${key} --format der ${how} hello`)).toBe("true\n");
      }
    }
  });
});

describe("docs/ssh-signatures.md", () => {
  it("signs a file, a commit and a tag that OpenSSH and git verify, typed as it stands", async (context) => {
    need(context, "git", "ssh-keygen");
    const page = await readFile(join(import.meta.dirname, "../../docs/ssh-signatures.md"), "utf8");
    const blocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block ?? "");
    expect(blocks).toHaveLength(5);
    await mkdir(join(stack.folder, "bin"));
    const basil = join(stack.folder, "bin", "basil");
    await writeFile(basil, `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`);
    await chmod(basil, 0o755);
    const before = "git init -q repository && cd repository && echo content > release.tar";
    const identity = "git config user.name Me && git config user.email me@example.org";
    const script = ["set -e", before, identity, ...blocks].join("\n");
    const { exitCode, stdout, stderr } = await run("env", [
      `PATH=${join(stack.folder, "bin")}:${process.env.PATH}`,
      "bash",
      "-c",
      script,
    ]);
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain('Good "file" signature for release@example.org');
    expect(stdout).toContain("true\n");
    expect(stderr.match(/Good "git" signature for me@example.org/g)).toHaveLength(2);
  });
});

describe("an sshsig that cannot be", () => {
  it.for([
    ["basil sign --key-id sign.p256 --format sshsig x", "--namespace is missing", 2],
    ["basil sign --key-id sign.p256 --namespace file x", "--namespace is for --format sshsig alone", 2],
    ["basil sign --key-id sign.p256 --hash sha256 x", "--hash is for --format sshsig alone", 2],
    [
      "basil sign --key-id sign.p256 --format sshsig --namespace file --hash md5 x",
      "Allowed choices are sha512, sha256",
      2,
    ],
    ["basil sign --key-id sign.p256 --format sshsig --namespace file --encoding hex x", "which is text", 2],
    ["basil sign --key-id no.such --format sshsig --namespace file x", "(UNAUTHORIZED)", 4],
    ["basil sign --key-id bare.p256 --format der x", "the type of key bare.p256 is not told to you", 4],
    ["basil verify --key-id sign.p256 --format sshsig --signature x y", "--namespace is missing", 2],
    ["basil verify --key-id sign.p256 --format sshsig --namespace file --signature x y", "not an SSH signature", 1],
    ["basil verify --key-id sign.p256 --signature 00 --signature-file x y", "given twice", 2],
    ["basil verify --key-id sign.p256 --signature-file - y", "standard input is for the message", 2],
    ["basil verify --key-id sign.p256 --signature-file absent y", "the file absent cannot be read", 1],
    [
      "basil verify --key-id sign.p256 --encoding bin --signature 00 y",
      "--encoding bin is for --signature-file alone",
      2,
    ],
    ["basil verify --key-id sign.p256 --encoding base64 --signature 0 y", "It is not base64", 2],
    ["basil verify --key-id sign.p256 --format der --signature 3000 y", "not a DER ECDSA signature", 1],
    ["basil verify --offline --pubkey catalog.json --signature 00 y", "the public key catalog.json is refused", 1],
  ] as const)("%s", async ([line, what, code]) => {
    const { exitCode, stdout, stderr } = await type(line);
    expect(stderr).toContain(what);
    expect(stderr).toMatch(/^error: .+\nhint: .+\n$/);
    expect(exitCode).toBe(code);
    expect(stdout).toBe("");
  });
});
