import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { importJWK } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { policyOfMe } from "../policy-of-me.js";
import { SEED_KEYS } from "../seed-keys.js";
import { type RunningAgent, Stack, seed } from "../stack.js";
import { type Answer, basil, type TypeOptions, typed } from "./typed.js";

/** May use the two keys of the page's catalog, each for what it is for. */
const policy = {
  ...policyOfMe({ id: "all", subjects: ["me"], action: ["role:user"], target: ["jwt.**", "payload.**", "fresh.**"] }),
  roles: { user: ["sign", "verify", "get_public_key", "encrypt", "decrypt", "list", "new_key"] },
};

let stack: Stack;
let agent: RunningAgent;

beforeAll(async () => {
  const catalog = JSON.parse(await seed.text("catalog.json"));
  catalog.backends.kms.mintKeyTypes.push("ecdsa-p521");
  const fresh = { ...catalog.keys["jwt.signing.primary"], writable: true, missing: "warn" };
  catalog.keys["fresh.signing"] = { ...fresh, keyType: "ecdsa-p521", path: "alias/basil/fresh-signing" };
  catalog.keys["fresh.aead"] = {
    ...catalog.keys["payload.aead"],
    writable: true,
    missing: "warn",
    path: "alias/basil/fresh-aead",
  };
  stack = await Stack.start({
    catalog: JSON.stringify(catalog),
    policy,
    emulator: { keys: SEED_KEYS },
  });
  agent = await stack.startAgent();
});
afterAll(async () => {
  await agent?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
});

const type = (line: string, options: TypeOptions = {}): Promise<Answer> =>
  typed(line, { env: stack.env, cwd: stack.folder, ...options });
const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join("");

/** Runs a line that must succeed and say nothing beside its result. */
async function answer(line: string, options: TypeOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await type(line, options);
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  return stdout;
}

describe("basil status, health, ready", () => {
  it("basil status", async () => {
    expect(await answer("basil status")).toMatch(/^backend: aws-kms\nversion: \d+\.\d+\.\d+\nprotocol: 1\n$/);
    const { stdout } = await type("basil status --json");
    expect(stdout).toMatch(/^\{"backend":"aws-kms","protocol":1,"version":"[\d.]+"\}\n$/);
  });

  it("basil health", async () => {
    expect(await answer("basil health")).toMatch(/^alive: true\nversion: \d+\.\d+\.\d+\n$/);
    expect(JSON.parse(await answer("basil health --json"))).toMatchObject({ alive: true });
  });

  it("basil ready", async () => {
    const answered = await answer("basil ready --wait 10");
    expect(answered).toBe(
      lines(
        "ready: true",
        "reason: ready",
        "generation: 1",
        "keys_total: 4",
        "keys_present: 2",
        "keys_required_missing: 0",
        "keys_optional_missing: 2",
      ),
    );
    expect(JSON.parse(await answer("basil ready --json"))).toEqual({
      ready: true,
      reason: "ready",
      generation: 1,
      keys_total: 4,
      keys_present: 2,
      keys_required_missing: 0,
      keys_optional_missing: 2,
    });
  });
});

describe("basil list", () => {
  it("shows names, never numbers", async () => {
    expect(await answer("basil list --prefix jwt.")).toBe(
      lines("NAME\tKIND\tKEY TYPE\tVERSION", "jwt.signing.primary\tsigning\tecdsa-p256\t1"),
    );
    expect(await answer("basil list --prefix payload")).toContain("payload.aead\tencryption\t-\t1\n");
  });

  it("prints nothing on standard output without a key, and the next step on standard error", async () => {
    expect(await type("basil list --prefix nothing.")).toMatchObject({
      exitCode: 0,
      stdout: "",
      stderr: expect.stringMatching(/^no key to show: .*\nhint: .*op:list/),
    });
    expect(await answer("basil list --prefix nothing. --json")).toBe('{"keys":[]}\n');
  });
});

describe("basil sign and verify", () => {
  it("sign prints hex, and verify takes it", async () => {
    const signature = (await answer("basil sign --key-id jwt.signing.primary hello")).trimEnd();
    expect(signature).toMatch(/^[0-9a-f]{128}$/);
    expect(await answer(`basil verify --key-id jwt.signing.primary --signature ${signature} hello`)).toBe("true\n");
    expect(await type(`basil verify --key-id jwt.signing.primary --signature ${signature} Hello`)).toMatchObject({
      exitCode: 1,
      stdout: "false\n",
      stderr: "",
    });
    const json = await answer(`basil verify --key-id jwt.signing.primary --signature ${signature} hello --json`);
    expect(JSON.parse(json)).toEqual({ key_id: "jwt.signing.primary", valid: true });
  });

  it("a message is the same from the command line, a file and standard input, to the last byte", async () => {
    const message = Uint8Array.from({ length: 70_000 }, (_, i) => i % 256);
    await writeFile(join(stack.folder, "message"), message);
    const signature = (await answer("basil sign --key-id jwt.signing.primary --file message")).trimEnd();
    const verify = `basil verify --key-id jwt.signing.primary --signature ${signature}`;
    expect(await answer(`${verify} -`, { stdin: message })).toBe("true\n");
    expect(await answer(verify, { stdin: message })).toBe("true\n");
    const text = (await answer("basil sign --key-id jwt.signing.primary -", { stdin: "hello" })).trimEnd();
    expect(await answer(`basil verify --key-id jwt.signing.primary --signature ${text} hello`)).toBe("true\n");
  });

  it("an empty message and one that looks like a flag are messages", async () => {
    const empty = await basil(["sign", "--key-id", "jwt.signing.primary", ""], { env: stack.env });
    expect(empty).toMatchObject({ exitCode: 0 });
    const flag = await basil(["sign", "--key-id", "jwt.signing.primary", "--", "--help"], { env: stack.env });
    expect(flag.stdout).toMatch(/^[0-9a-f]{128}\n$/);
  });

  it("a signature of another width is refused, not false", async () => {
    const { exitCode, stdout, stderr } = await type("basil verify --key-id jwt.signing.primary --signature 00 hello");
    expect(exitCode).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain("(INVALID_REQUEST)");
  });

  it("a message over the broker's limit ends with 7", async () => {
    const stdin = new Uint8Array(1_048_577);
    expect(await type("basil sign --key-id jwt.signing.primary -", { stdin })).toMatchObject({
      exitCode: 7,
      stdout: "",
    });
    const huge = new Uint8Array(5_000_000);
    const { exitCode, stderr } = await type("basil sign --key-id jwt.signing.primary -", { stdin: huge });
    expect(exitCode).toBe(7);
    expect(stderr).toContain("larger than 4194304 bytes");
  });
});

describe("basil encrypt and decrypt", () => {
  async function encrypted(line: string, options: TypeOptions = {}): Promise<Record<string, string>> {
    const text = await answer(line, options);
    expect(text).toMatch(/^algorithm: aes256-gcm\nversion: 1\nnonce:\nciphertext: [0-9a-f]+\n$/);
    return Object.fromEntries(
      text
        .trimEnd()
        .split("\n")
        .map((row) => row.split(/: ?/) as [string, string]),
    );
  }
  const decrypt = (ciphertext: string | undefined, more = "") =>
    basil(
      [
        ...["decrypt", "--key-id", "payload.aead", "--algorithm", "aes256-gcm", "--version", "1", "--nonce", ""],
        ...["--ciphertext", ciphertext ?? ""],
        ...more.split(" ").filter((word) => word !== ""),
      ],
      { env: stack.env },
    );

  it("what encrypt printed decrypts, as hex or as it was", async () => {
    const { ciphertext } = await encrypted("basil encrypt --key-id payload.aead secret");
    expect(await decrypt(ciphertext)).toMatchObject({ exitCode: 0, stdout: "736563726574\n" });
    expect(await decrypt(ciphertext, "--raw")).toMatchObject({ exitCode: 0, stdout: "secret" });
    const { stdout } = await decrypt(ciphertext, "--json");
    expect(JSON.parse(stdout)).toEqual({ plaintext: "736563726574" });
  });

  it("additional data must be the same; absent and empty are not", async () => {
    const { ciphertext } = await encrypted("basil encrypt --key-id payload.aead --aad-hex 0aff secret");
    expect(await decrypt(ciphertext, "--aad-hex 0AFF")).toMatchObject({ exitCode: 0 });
    for (const other of ["", "--aad-hex 0b"]) {
      const { exitCode, stderr } = await decrypt(ciphertext, other);
      expect(exitCode).toBe(1);
      expect(stderr).toContain("(DECRYPT_FAILED)");
    }
    const empty = await basil(["encrypt", "--key-id", "payload.aead", "--aad-hex", "", "secret", "--json"], {
      env: stack.env,
    });
    const blob = (JSON.parse(empty.stdout) as { ciphertext: string }).ciphertext;
    expect(await decrypt(blob)).toMatchObject({ exitCode: 1 });
  });

  it("binary goes in and comes out unchanged, through files", async () => {
    const plaintext = Uint8Array.from({ length: 256 }, (_, i) => i);
    const { ciphertext } = await encrypted("basil encrypt --key-id payload.aead -", { stdin: plaintext });
    await writeFile(join(stack.folder, "blob"), Buffer.from(ciphertext ?? "", "hex"));
    const flags = ["--key-id", "payload.aead", "--algorithm", "aes256-gcm", "--version", "1", "--nonce", ""];
    const { stdout } = await basil(["decrypt", ...flags, "--file", "blob"], { env: stack.env, cwd: stack.folder });
    expect(stdout).toBe(`${Buffer.from(plaintext).toString("hex")}\n`);
  });

  it("more than KMS takes ends with 7, before any call to it", async () => {
    const before = stack.emulator.calls.length;
    const stdin = new Uint8Array(4097);
    expect(await type("basil encrypt --key-id payload.aead -", { stdin })).toMatchObject({ exitCode: 7 });
    expect(stack.emulator.calls.length).toBe(before);
  });
});

describe("basil new-key and pubkey", () => {
  it("new-key makes the key of an entry that has none, once", async () => {
    const made = await answer("basil new-key --key-id fresh.signing --key-type ecdsa-p521");
    expect(made).toMatch(/^key_id: fresh\.signing\npublic_key: 04[0-9a-f]{264}\n$/);
    expect(await type("basil new-key --key-id fresh.signing --key-type ecdsa-p521")).toMatchObject({ exitCode: 1 });
    const signature = (await answer("basil sign --key-id fresh.signing hello")).trimEnd();
    expect(signature).toMatch(/^[0-9a-f]{264}$/);
  });

  it.for([
    ["another symmetric type", "--key-type chacha20-poly1305", '"chacha20-poly1305"'],
    ["no type", "", "ed25519"],
  ] as const)("new-key refuses %s on an AES entry, and names both types and the flag", async ([, flag, asked]) => {
    const { exitCode, stderr } = await type(`basil new-key --key-id fresh.aead ${flag}`);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(asked);
    expect(stderr).toContain("hint: give --key-type aes-256-gcm");
  });

  it.for([
    ["basil sign --keyid jwt.signing.primary text", "unknown option '--keyid' (Did you mean --key-id?)"],
    [
      "basil decrypt --key-id=payload.aead --algoritm aes256-gcm",
      "unknown option '--algoritm' (Did you mean --algorithm?)",
    ],
    ["basil sign text", "required option '--key-id <name>' not specified"],
  ] as const)("%s names the flag that is wrong", async ([line, message]) => {
    expect(await type(line)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(message) });
  });

  it("new-key of a symmetric entry prints no public key", async () => {
    const made = await answer("basil new-key --key-id fresh.aead --key-type aes-256-gcm");
    expect(made).toBe(lines("key_id: fresh.aead", "public_key:"));
  });

  it("pubkey prints the formats that other programs read", async () => {
    const pubkey = "basil pubkey --key-id jwt.signing.primary";
    const pem = await answer(pubkey);
    expect(pem).toMatch(/^-----BEGIN PUBLIC KEY-----\n(.+\n)+-----END PUBLIC KEY-----\n$/);
    const { createPublicKey } = await import("node:crypto");
    const jwk = JSON.parse(await answer(`${pubkey} --format jwk`));
    expect(jwk).toMatchObject({ kty: "EC", crv: "P-256", alg: "ES256", use: "sig" });
    const { x, y } = createPublicKey(pem).export({ format: "jwk" });
    expect(jwk).toMatchObject({ x, y });
    await expect(importJWK(jwk)).resolves.toBeDefined();
    expect(await answer(`${pubkey} --format ssh`)).toMatch(/^ecdsa-sha2-nistp256 \S+ jwt\.signing\.primary\n$/);
    const json = JSON.parse(await answer(`${pubkey} --format raw --json`));
    expect(json).toMatchObject({ key_id: "jwt.signing.primary", key_type: "ecdsa-p256", version: 1, format: "raw" });
    expect(json.public_key).toMatch(/^04[0-9a-f]{128}$/);
  });
});

describe("basil sign --format, verify --offline, jwks", () => {
  it("der and raw are the same signature for whoever verifies with a public key", async () => {
    const { createPublicKey, verify } = await import("node:crypto");
    await writeFile(join(stack.folder, "key.pem"), await answer("basil pubkey --key-id jwt.signing.primary"));
    const key = createPublicKey(await readFile(join(stack.folder, "key.pem"), "utf8"));
    const der = await answer("basil sign --key-id jwt.signing.primary --format der --encoding base64 hello");
    expect(verify("sha256", Buffer.from("hello"), key, Buffer.from(der, "base64"))).toBe(true);
    const raw = (await answer("basil sign --key-id jwt.signing.primary hello")).trim();
    const offline = `basil verify --offline --pubkey key.pem --signature ${raw}`;
    expect(await answer(`${offline} hello`, { env: {} })).toBe("true\n");
    expect(await type(`${offline} hullo`, { env: {} })).toMatchObject({ exitCode: 1, stdout: "false\n", stderr: "" });
  });

  it("jws is what jose verifies with the key set", async () => {
    const { compactVerify, createLocalJWKSet } = await import("jose");
    const set = JSON.parse(await answer("basil jwks"));
    expect(set.keys.length).toBeGreaterThanOrEqual(1);
    expect(JSON.parse(await answer("basil jwks --key-id jwt.signing.primary")).keys).toHaveLength(1);
    const jws = (await answer("basil sign --key-id jwt.signing.primary --format jws hello")).trim();
    const { payload, protectedHeader } = await compactVerify(jws, createLocalJWKSet(set));
    expect(new TextDecoder().decode(payload)).toBe("hello");
    const [{ kid }] = JSON.parse(await answer("basil jwks --key-id jwt.signing.primary")).keys;
    expect(protectedHeader).toEqual({ alg: "ES256", kid });
  });

  it("jwks prints a key once, however many names lead to it", async () => {
    const twice = await answer("basil jwks --key-id jwt.signing.primary --key-id jwt.signing.primary");
    expect(JSON.parse(twice).keys).toHaveLength(1);
  });

  it.for([
    [
      "basil sign --key-id jwt.signing.primary --format jws --encoding hex hello",
      "--encoding is not for --format jws",
      2,
    ],
    ["basil verify --offline --signature 00 hello", "--offline and --pubkey go together", 2],
    ["basil verify --pubkey key.pem --signature 00 hello", "--offline and --pubkey go together", 2],
    ["basil verify --signature 00 hello", "--key-id", 2],
    ["basil verify --offline --pubkey absent.pem --signature 00 hello", "absent.pem cannot be read", 1],
    ["basil verify --offline --pubkey catalog.json --signature 00 hello", "the public key catalog.json is refused", 1],
    ["basil sign --key-id no.such.key --format der hello", "the type of key no.such.key is not told to you", 4],
    ["basil jwks --key-id no.such.key", "(UNAUTHORIZED)", 4],
  ] as const)("%s is refused", async ([line, what, code]) => {
    const { exitCode, stdout, stderr } = await type(line);
    expect(stderr).toContain(what);
    expect(exitCode).toBe(code);
    expect(stdout).toBe("");
  });
});

describe("a call that is refused ends with 4", () => {
  it("an unknown key and one without a grant read the same, and the caller's exit code is 4", async () => {
    const unknown = await type("basil pubkey --key-id no.such.key");
    const denied = await type("basil sign --key-id hidden.key text");
    expect(unknown).toMatchObject({ exitCode: 4, stdout: "" });
    expect(denied.stderr).toBe(unknown.stderr);
    expect(denied.exitCode).toBe(4);
    expect(denied.stderr).toContain("(UNAUTHORIZED)");
  });

  it("the audit log has the calls of this file, and no secret of theirs", async () => {
    const records = await stack.audit();
    expect(records.map(({ op }) => op)).toEqual(
      expect.arrayContaining(["sign", "verify", "encrypt", "decrypt", "new_key"]),
    );
    const text = await readFile(join(stack.folder, "audit.jsonl"), "utf8");
    expect(text).not.toContain("736563726574");
  });
});
