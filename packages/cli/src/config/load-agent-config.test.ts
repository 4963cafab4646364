import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CliError } from "../cli-error.js";
import { loadAgentConfig, parseAgentConfig } from "./load-agent-config.js";

const parse = (text: string) => parseAgentConfig(new TextEncoder().encode(text), "agent.toml");
const problems = async (text: string): Promise<readonly string[]> => {
  const error = await parse(text).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CliError);
  const refusal = error as CliError<"DOCUMENT_REFUSED">;
  expect(refusal.code).toBe("DOCUMENT_REFUSED");
  return refusal.details.problems;
};

describe("loadAgentConfig", () => {
  it("gives every setting its default when there is no file", async () => {
    const config = await loadAgentConfig(undefined, "/");
    expect(config).toMatchObject({
      "socket-mode": 0o600,
      "capability-policy": "strict",
      "max-encrypt-size": 1_048_576,
      "max-payload-size": 1_048_576,
      "no-reconcile": false,
      unlock: { "unlock-passphrase-no-wipe": false, "strict-bundle-perms": false },
      invocation: { enable: false, "max-ttl-secs": 60 },
      jwks: { enable: false, listen: "127.0.0.1:8201" },
    });
    expect(config.catalog).toBeUndefined();
  });

  it("reads every key of the file", async () => {
    const text = `
      catalog = "c.json"
      policy = "p.json"
      bundle = "b.sealed"
      socket = "/run/basil/agent.sock"
      socket-mode = "0660"
      socket-group = "basil"
      vault-addr = "http://127.0.0.1:8200"
      transit-mount = "transit"
      jwt-auth-mount = "jwt"
      jwt-role = ""
      jwt-audience = "openbao"
      svid-ttl-secs = 300
      capability-policy = "degraded"
      db-keystore-cipher = "aegis256"
      onepassword-provider-uri = ""
      onepassword-project = ""
      onepassword-profile = ""
      max-encrypt-size = 4096
      max-payload-size = 8192
      grace-versions = 1
      retention-sweep-secs = 0
      audit-log = "audit.jsonl"
      no-reconcile = true
      [unlock]
      age-yubikey = false
      unlock-tpm = false
      unlock-passphrase-file = "pass"
      unlock-passphrase-no-wipe = true
      strict-bundle-perms = true
      [broker-identity]
      [invocation]
      enable = false
      audience = ["basil://host/service"]
      request-encryption-key-id = "k"
      max-ttl-secs = 300
      clock-skew-secs = 0
      replay-cache-capacity = 1
      [jwks]
      enable = false
      listen = "127.0.0.1:8201"
      issuer = "https://issuer.example"
      [jwks.tls]
      enable = false
      cert-file = "cert"
      key-file = "key"
      [logging.stdout]
      enable = true
      [logging.journald]
      enable = false
      [logging.file]
      enable = false
      dir = "logs"
      prefix = "basil-"
      rotation = "weekly"
      [logging.opentelemetry]
      enable = false
      endpoint = "http://127.0.0.1:4317"
      protocol = "http-json"`;
    expect(await parse(text)).toMatchObject({
      catalog: "c.json",
      "socket-mode": 0o660,
      "max-encrypt-size": 4096,
      unlock: { "unlock-passphrase-file": "pass", "unlock-passphrase-no-wipe": true, "strict-bundle-perms": true },
    });
  });

  it.for([
    ["a misspelt key", "polcy = 'p'", "polcy is not a key of this file; did you mean policy?"],
    [
      "a misspelt key of a table",
      "[unlock]\nunlock-pasphrase-file = 'p'",
      "[unlock] unlock-pasphrase-file is not a key of this file; did you mean [unlock] unlock-passphrase-file?",
    ],
    ["a key like nothing known", "zzzzzzzz = 1", "zzzzzzzz is not a key of this file"],
    ["a number for a text", "catalog = 7", "catalog is 7; allowed: a text in quotes"],
    [
      "a text for a flag",
      '[unlock]\nstrict-bundle-perms = "yes"',
      '[unlock] strict-bundle-perms is "yes"; allowed: true or false',
    ],
    [
      "a word outside a list",
      'capability-policy = "lax"',
      'capability-policy is "lax"; allowed: "strict", "degraded", "off"',
    ],
    [
      "a fraction for an integer",
      "max-encrypt-size = 1048576.0",
      "max-encrypt-size is 1048576; allowed: a whole number",
    ],
    [
      "a number out of range",
      "[invocation]\nmax-ttl-secs = 301",
      "[invocation] max-ttl-secs is 301; allowed: a whole number from 1 to 300",
    ],
    [
      "a bad URI in a list",
      '[invocation]\naudience = ["http://x/y"]',
      '[invocation.audience] 0 is "http://x/y"; allowed: basil://HOST/PATH without user, query or fragment',
    ],
    [
      "a name in place of an address",
      '[jwks]\nlisten = "localhost:8201"',
      '[jwks] listen is "localhost:8201"; allowed: an address and a port, as 127.0.0.1:8201',
    ],
    [
      "a metadata service in place of an issuer",
      '[jwks]\nissuer = "http://169.254.169.254"',
      '[jwks] issuer is "http://169.254.169.254"; allowed: an http or https URL without user or fragment, and not of a metadata service',
    ],
    [
      "an endpoint that is no URL",
      '[logging.opentelemetry]\nendpoint = "collector:4317"',
      '[logging.opentelemetry] endpoint is "collector:4317"; allowed: an http or https URL without user or fragment, and not of a metadata service',
    ],
    [
      "half an identity",
      '[broker-identity]\nid = "basil://h/p"',
      "broker-identity needs both id and response-signing-key-id, or neither",
    ],
    ["an empty path", 'policy = ""', 'policy is ""; allowed: a text that is not empty'],
    ["a scalar for a table", "unlock = 1", "unlock is 1; allowed: a table"],
  ] as const)("refuses %s and says what is allowed", async ([, text, problem]) => {
    expect(await problems(text)).toEqual([problem]);
  });

  it("lists every problem, not only the first", async () => {
    expect(await problems("a = 1\nb = 2\ncatalog = 3")).toHaveLength(3);
  });

  it("names the line and column of what is not TOML", async () => {
    expect((await problems('catalog = "a"\npolicy = = "b"'))[0]).toMatch(/^line 2, column \d+: /);
  });

  it("refuses a key given twice", async () => {
    expect((await problems('catalog = "a"\ncatalog = "b"'))[0]).toMatch(/^line 2, /);
  });

  it("refuses bytes that are not UTF-8", async () => {
    await expect(parseAgentConfig(new Uint8Array([0xff, 0xfe]), "x")).rejects.toMatchObject({
      code: "DOCUMENT_REFUSED",
    });
  });

  it("names a file that is not there", async () => {
    const folder = await mkdtemp(join(tmpdir(), "basil-config-"));
    try {
      await expect(loadAgentConfig("no.toml", folder)).rejects.toMatchObject({
        code: "FILE",
        message: "the configuration no.toml cannot be read: there is no such file",
      });
      await writeFile(join(folder, "yes.toml"), 'catalog = "c"');
      expect((await loadAgentConfig("yes.toml", folder)).catalog).toBe("c");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("answers any bytes with a configuration or a refusal", async () => {
    const line = fc.tuple(
      fc.constantFrom("catalog", "socket-mode", "unlock", "[unlock]", "[[jwks]]", "__proto__", "max-encrypt-size"),
      fc.oneof(fc.string(), fc.constantFrom("= 1", '= "x"', "= []", "= {}", "= 1979-05-27", "= nan", "= 0o777")),
    );
    const text = fc
      .array(line.map((parts) => parts.join(" ")))
      .map((lines) => new TextEncoder().encode(lines.join("\n")));
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array(), text), async (bytes) => {
        await parseAgentConfig(bytes, "x").catch((error: unknown) => {
          if (!(error instanceof CliError) || error.code !== "DOCUMENT_REFUSED") throw error;
        });
      }),
    );
  });
});

describe("socket-mode", () => {
  it.for([
    ['"0600"', 0o600],
    ['"660"', 0o660],
    ['"0o666"', 0o666],
    ['"7777"', 0o7777],
    ["0o660", 0o660],
    ["432", 0o660],
  ] as const)("reads %s", async ([text, mode]) => {
    expect((await parse(`socket-mode = ${text}`))["socket-mode"]).toBe(mode);
  });

  it.for(['"0888"', '"17777"', '""', '"rw"', "-1", "true", "1.5"])("refuses %s", async (text) => {
    expect((await problems(`socket-mode = ${text}`))[0]).toMatch(/^socket-mode .*allowed: octal digits as text/);
  });

  it("refuses a decimal integer that was meant as octal and says how to write it", async () => {
    expect(await problems("socket-mode = 660")).toEqual([
      'socket-mode is the integer 660, which is octal 1224; write it as text, "0660", or as 0o660',
    ]);
  });
});
