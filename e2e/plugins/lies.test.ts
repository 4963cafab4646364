import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Agent, Deployment } from "./deployment.js";

/** Backends that lie once they serve, each a package of its own, by kind. What follows the fixture in the package. */
const LIARS: Readonly<Record<string, string>> = {
  forger: `
    import { generateKeyPairSync, sign } from "node:crypto";
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const forge = (message) => Uint8Array.from(sign("sha256", message, { key: other.privateKey, dsaEncoding: "ieee-p1363" }));
    export const plugin = makePlugin("forger", { backend: (it) => {
      it.transit.sign = async (key, message) => ({ signature: forge(message), keyVersion: 1, resource: "forger:p256" });
      return it;
    } });`,
  short: `
    export const plugin = makePlugin("short", { backend: (it) => {
      it.transit.sign = async () => ({ signature: new Uint8Array(63), keyVersion: 1, resource: "short:p256" });
      return it;
    } });`,
  silent: `
    export const plugin = makePlugin("silent", { backend: (it) => {
      it.transit.sign = () => new Promise(() => {});
      return it;
    } });`,
  thrower: `
    export const plugin = makePlugin("thrower", { backend: (it) => {
      it.transit.sign = () => { throw Object.create(null); };
      it.transit.publicKey = async () => { throw undefined; };
      it.transit.encrypt = () => { throw "a secret of the plugin"; };
      it.health = () => { throw new Error("no"); };
      return it;
    } });`,
  impostor: `
    import { generateKeyPairSync } from "node:crypto";
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const spki = Uint8Array.from(other.publicKey.export({ type: "spki", format: "der" }));
    export const plugin = makePlugin("impostor", { backend: (it) => {
      it.transit.publicKey = async (key) => ({ publicKey: spki, keyType: key.keyType, keyVersion: 1, resource: "impostor:" + key.path });
      return it;
    } });`,
  bloater: `
    export const plugin = makePlugin("bloater", { backend: (it) => {
      it.transit.encrypt = async () => ({ resource: "r", envelope: { keyVersion: 1, nonce: new Uint8Array(12), ciphertext: new Uint8Array(3_000_000) } });
      return it;
    } });`,
  clinger: `
    export const plugin = makePlugin("clinger", { backend: (it) => {
      it.health = () => new Promise(() => {});
      it[Symbol.asyncDispose] = () => new Promise(() => {});
      setInterval(() => {}, 1000);
      return it;
    } });`,
};
const kinds = Object.fromEntries(["good", ...Object.keys(LIARS)].map((kind) => [kind, kind]));
const GOOD = 'export const plugin = makePlugin("good");';

describe.for(["first", "always"] as const)("backends that lie, with verify-signatures = %s", (mode) => {
  let deployment: Deployment;
  let agent: Agent;
  beforeAll(async () => {
    deployment = await Deployment.make();
    await deployment.install("good", { code: GOOD });
    for (const [kind, code] of Object.entries(LIARS)) await deployment.install(kind, { code });
    await deployment.catalog(kinds);
    // `first` is what an agent does that was told nothing.
    await deployment.configure(Object.keys(kinds), mode === "first" ? "" : `verify-signatures = "${mode}"`);
    expect(await deployment.seal(kinds)).toMatchObject({ exitCode: 0 });
    agent = await deployment.agent();
  });
  afterAll(async () => {
    await agent?.[Symbol.asyncDispose]();
    await deployment[Symbol.asyncDispose]();
  });

  const sign = (key: string, ...flags: readonly string[]) =>
    deployment.basil(["sign", "--key-id", key, "a message", ...flags]);
  const goodServes = async () => expect(await sign("good.p256")).toMatchObject({ exitCode: 0, stderr: "" });
  /** The lines of the log that name the backend. */
  const told = (backend: string) =>
    agent
      .log()
      .split("\n")
      .filter((line) => line.includes(backend) && /"level":"(warn|error)"/.test(line))
      .join("\n");

  it.for([
    ["forger", "another key's signature", /a signature does not verify with the public key/],
    ["short", "a signature of 63 bytes", /gave 63 bytes of signature, expected 64/],
    ["impostor", "a public key that is not the key's", /a signature does not verify with the public key/],
    ["thrower", "what is no error, before it returns", /outside its contract/],
  ] as const)("%s gives %s: nothing leaves, it is named, and the others are served", async ([backend, , problem]) => {
    const refused = await sign(`${backend}.p256`);
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).not.toContain(backend === "thrower" ? "contract" : "verify");
    expect(told(backend)).toMatch(problem);
    expect(told(backend)).toContain(`${backend}.p256`);
    await goodServes();
  });

  it("silent never answers: its caller's deadline ends it, and the others are served meanwhile", async () => {
    const waiting = sign("silent.p256", "--timeout", "3");
    await goodServes();
    expect(await waiting).toMatchObject({ exitCode: 5, stdout: "" });
    await goodServes();
  });

  it("bloater gives a ciphertext over every limit: it is named, and the others are served", async () => {
    const refused = await deployment.basil(["encrypt", "--key-id", "bloater.aead", "a secret"]);
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(told("bloater")).toMatch(/gave 3000000 bytes of ciphertext, expected 8 to /);
    await goodServes();
  });

  it("thrower's own text reaches nobody but the log", async () => {
    const refused = await deployment.basil(["encrypt", "--key-id", "thrower.aead", "a secret", "--debug"]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout + refused.stderr).not.toContain("secret of the plugin");
    const publicKey = await deployment.basil(["pubkey", "--key-id", "thrower.p256", "--format", "pem"]);
    expect(publicKey).toMatchObject({ exitCode: 1, stdout: "" });
    expect(told("thrower")).toMatch(/outside its contract, with undefined/);
    await goodServes();
  });

  it("clinger serves, and holds up neither health nor the stop", async () => {
    expect(await sign("clinger.p256")).toMatchObject({ exitCode: 0 });
    expect(await deployment.basil(["health"])).toMatchObject({ exitCode: 0 });
    expect(await agent.stop()).toBe(0);
    expect(told("clinger")).toContain("a backend could not be closed");
  });
});

describe("a backend that lies when it is opened keeps the agent from serving, and is named:", () => {
  // Most of them are waits: together they take no longer than one.
  it.concurrent.for([
    [
      "it never opens",
      "open: () => new Promise(() => {})",
      /backend "liar" of kind "liar" cannot be opened: its plugin has not opened it in 20000 ms/,
    ],
    ["it throws", 'open: () => { throw "x"; }', /backend "liar" of kind "liar" cannot be opened: .*with string/],
    [
      "it opens nothing",
      "open: async () => undefined",
      /backend "liar" of kind "liar" breaks the contract of backends: it must be an object/,
    ],
    [
      "it claims an engine it has not",
      'backend: (it) => ({ ...it, capabilities: { ...capabilities, engines: ["transit", "kv2"] } })',
      /engine kv2 is claimed, and `kv2` is not there/,
    ],
    [
      "it claims more than its kind",
      "capabilities: { engines: ['transit'], keyTypes: { 'aes-256-gcm': capabilities.keyTypes['aes-256-gcm'], ed25519: capabilities.keyTypes.ed25519, 'ecdsa-p256': { operations: ['sign', 'verify', 'publicKey', 'createKey'] } }, features: [] }, backend: (it) => ({ ...it, capabilities: { ...capabilities, features: ['hsm'] } })",
      /it claims feature hsm, which its kind does not/,
    ],
    [
      "it answers for another backend",
      'backend: (it) => ({ ...it, id: "other" })',
      /its id is "other", the catalog says "liar"/,
    ],
    [
      "its probe finds what there is not",
      'backend: (it) => ({ ...it, probe: async () => ({ state: "here" }) })',
      /key "liar\.p256".*none of absent, present, unusable/,
    ],
    [
      "its probe never answers",
      "backend: (it) => ({ ...it, probe: () => new Promise(() => {}) })",
      /key "liar\.p256".*given up: no backend has answered for 20 s/,
    ],
    [
      "it makes no keys, though it says so",
      "backend: (it) => { it.transit.createKey = async () => ({ keyVersion: 1, resource: 'liar:x' }); return it; }",
      /key "liar\.\w+".*is not seen after 20 s/,
    ],
  ] as const)("%s", { timeout: 90_000 }, async ([, lie, problem]) => {
    await using deployment = await Deployment.make();
    await deployment.catalog({ liar: "liar" });
    await deployment.configure(["liar"]);
    await deployment.install("liar", { code: `export const plugin = makePlugin("liar", { ${lie} });` });
    expect(await deployment.seal({ liar: "liar" })).toMatchObject({ exitCode: 0 });
    const started = performance.now();
    const { code, log, served } = await deployment.refusedAgent();
    expect({ code, served }).toEqual({ code: 1, served: false });
    expect(log).toMatch(problem);
    expect(performance.now() - started).toBeLessThan(60_000);
  });
});
