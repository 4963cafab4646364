import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type Client, connect, createSigner, publicJwks, type Signer, signJws, signJwt } from "@basil/client";
import { compactVerify, createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasPython, pythonVenv } from "../peers/python.js";
import { policyOfMe } from "../policy-of-me.js";
import { type RunningAgent, Stack, seed } from "../stack.js";

const KEYS = [
  ["app.ed25519", "ed25519", "ECC_NIST_EDWARDS25519", "EdDSA"],
  ["app.p256", "ecdsa-p256", "ECC_NIST_P256", "ES256"],
  ["app.p384", "ecdsa-p384", "ECC_NIST_P384", "ES384"],
  ["app.p521", "ecdsa-p521", "ECC_NIST_P521", "ES512"],
] as const;
const payload = Uint8Array.of(0, 1, 128, 255);

let stack: Stack;
let agent: RunningAgent;
let client: Client;
let signers: Signer[];
let jwks: JSONWebKeySet;
let tokens: { jwt: string; jws: string }[];

beforeAll(async () => {
  const { backends, keys, ...catalog } = JSON.parse(await seed.text("catalog.json"));
  const entry = { ...keys["jwt.signing.primary"], class: "asymmetric" };
  const entries = KEYS.map(([name, keyType]) => [name, { ...entry, keyType, path: `alias/${name.replace(".", "-")}` }]);
  stack = await Stack.start({
    catalog: JSON.stringify({ ...catalog, backends, keys: Object.fromEntries(entries) }),
    policy: policyOfMe({ id: "signs", subjects: ["me"], action: ["op:sign", "op:get_public_key"], target: ["app.*"] }),
    emulator: { keys: KEYS.map(([name, , spec]) => ({ spec, aliases: [`alias/${name.replace(".", "-")}`] })) },
  });
  agent = await stack.startAgent();
  client = await connect(stack.socket);
  signers = await Promise.all(KEYS.map(([name]) => createSigner(client, name)));
  jwks = { keys: publicJwks(signers).keys.map((key) => ({ ...key })) };
  tokens = await Promise.all(
    signers.map(async (signer) => ({
      jwt: await signJwt(signer, { sub: "alice", aud: "api" }),
      jws: await signJws(signer, payload, { header: { cty: "octets" } }),
    })),
  );
});
afterAll(async () => {
  await client?.[Symbol.asyncDispose]();
  await agent?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
});

describe("JWT and JWS by keys in KMS", () => {
  it("verify in jose, by the set of public keys", async () => {
    const keySet = createLocalJWKSet(jwks);
    for (const [index, { jwt, jws }] of tokens.entries()) {
      const verified = await jwtVerify(jwt, keySet, { audience: "api" });
      expect(verified.payload).toEqual({ sub: "alice", aud: "api" });
      expect(verified.protectedHeader).toMatchObject({ alg: KEYS[index]?.[3], typ: "JWT" });
      expect((await compactVerify(jws, keySet)).payload).toEqual(payload);
    }
  });

  describe.skipIf(!hasPython())("with Python", () => {
    let python: string;
    beforeAll(async () => {
      python = await pythonVenv(["PyJWT==2.15.1", "cryptography==50.0.2"]);
    }, 240_000);

    it("verify in PyJWT, by the set of public keys", async () => {
      const file = join(stack.folder, "jwks.json");
      await writeFile(file, JSON.stringify(jwks));
      const child = spawn(python, [join(import.meta.dirname, "verify_tokens.py"), file], {
        stdio: ["pipe", "pipe", "pipe"],
      });
      child.stdin.end(JSON.stringify(tokens));
      const ended = once(child, "close");
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
      expect((await ended)[0], stderr).toBe(0);
      expect(JSON.parse(stdout)).toEqual(
        KEYS.map(([, , , alg], index) => ({
          alg,
          claims: { sub: "alice", aud: "api" },
          payload: Buffer.from(payload).toString("hex"),
          header: { alg, kid: signers[index]?.kid, cty: "octets" },
          altered: "InvalidSignatureError",
        })),
      );
    });
  });
});

describe("examples/client/issue-token.ts", () => {
  const program = join(import.meta.dirname, "../../examples/client/issue-token.ts");
  const issue = async (...words: string[]) => {
    const child = spawn(process.execPath, [program, ...words], { env: stack.env, stdio: ["ignore", "pipe", "pipe"] });
    const ended = once(child, "close");
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { code: (await ended)[0] as number, stdout, stderr };
  };

  it.for(KEYS)("issues a token by %s that verifies with the key set it writes", async ([name, , , alg]) => {
    const file = join(stack.folder, `${name}.json`);
    const { code, stdout, stderr } = await issue(name, "alice", file);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const keySet = createLocalJWKSet(JSON.parse(await readFile(file, "utf8")));
    const options = { issuer: "https://issuer.example", subject: "alice" };
    const { protectedHeader } = await jwtVerify(stdout.trim(), keySet, options);
    expect(protectedHeader.alg).toBe(alg);
  });

  it("says what is wrong: a refusal, a missing argument", async () => {
    expect(await issue("no.such.key", "alice")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^UNAUTHORIZED: /),
    });
    expect(await issue("app.p256")).toMatchObject({ code: 2, stderr: expect.stringMatching(/^usage: /) });
  });
});
