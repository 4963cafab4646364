import { parseCatalog } from "@basil/catalog";
import { decide, lintPolicy, parsePolicy } from "@basil/policy";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CliError } from "../cli-error.js";
import { parseAgentConfig } from "../config/load-agent-config.js";
import { aliasOf, EXAMPLE_KEY, INIT_KEY_TYPES, readEndpoint, readKeys, readRegion, readUids } from "./answers.js";
import { initCatalog, initConfig, initPolicy } from "./init-documents.js";

const segment = fc.stringMatching(/^[a-z0-9][a-z0-9_]{0,8}$/);
const key = fc.tuple(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.constantFrom(...INIT_KEY_TYPES));
const keys = fc
  .uniqueArray(key, { maxLength: 5, selector: ([words]) => aliasOf(words.join(".")) })
  .map((all) => all.map(([words, keyType]) => ({ name: words.join("."), keyType })));
const uids = fc.uniqueArray(fc.nat(4_294_967_294), { minLength: 1, maxLength: 4 });

describe("the documents of basil init", () => {
  it("load, whatever the keys and users, and let each user use each key for what it is for", () => {
    fc.assert(
      fc.property(keys, uids, (keys, uids) => {
        const answers = { region: "us-east-1", keys, uids };
        const [catalog, policy] = [parseCatalog(initCatalog(answers)), parsePolicy(initPolicy(answers))];
        expect([...catalog.keys.keys()].sort()).toEqual(keys.map(({ name }) => name).sort());
        for (const uid of uids) {
          const subject = uids.length === 1 ? "init.user" : `init.user_${uid}`;
          for (const { name, keyType } of keys) {
            const may = (op: "sign" | "encrypt") => decide(policy, catalog, subject, op, name).allowed;
            expect([may("sign"), may("encrypt")]).toEqual([keyType !== "aes-256-gcm", keyType === "aes-256-gcm"]);
          }
        }
      }),
    );
  });

  it("give lint nothing to say of the example", () => {
    const answers = { region: "us-east-1", keys: [EXAMPLE_KEY], uids: [1000] };
    expect(lintPolicy(parsePolicy(initPolicy(answers)), parseCatalog(initCatalog(answers)))).toEqual([]);
  });

  it("hold any path in the configuration", async () => {
    const path = '/a "quoted" \\ pläce';
    const paths = { catalog: path, policy: path, config: path, bundle: path, socket: path, auditLog: path };
    const text = initConfig({ ...paths, passphraseFile: path }, true);
    expect(await parseAgentConfig(new TextEncoder().encode(text), "agent.toml")).toMatchObject({
      catalog: path,
      "socket-mode": 0o666,
      unlock: { "unlock-passphrase-file": path },
    });
  });
});

describe("the answers of basil init", () => {
  it("are read, or refused as a wrong command line", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const read of [
          readRegion,
          readEndpoint,
          (value: string) => readKeys([value]),
          (value: string) => readUids([value]),
        ]) {
          try {
            read(text);
          } catch (error) {
            expect(error).toBeInstanceOf(CliError);
            expect((error as CliError).code).toBe("USAGE");
          }
        }
      }),
    );
  });

  it("name keys by name and type, once each, or none", () => {
    expect(readKeys(["a.b_1=ed25519", "c=aes-256-gcm"])).toEqual([
      { name: "a.b_1", keyType: "ed25519" },
      { name: "c", keyType: "aes-256-gcm" },
    ]);
    expect(readKeys(["none"])).toEqual([]);
    for (const wrong of [
      ["none", "a=ed25519"],
      ["a"],
      ["a="],
      ["A=ed25519"],
      ["a..b=ed25519"],
      ["a=ed25519=x"],
      ["a.b=ed25519", "a_b=ed25519"],
    ]) {
      expect(() => readKeys(wrong)).toThrow(CliError);
    }
    expect(readUids(["7", "7", "0"])).toEqual([7, 0]);
    expect(readEndpoint("")).toBeUndefined();
  });
});
