import { describe, expect, it } from "vitest";
import { parseAgentConfig } from "./load-agent-config.js";
import { unbuiltFeatures } from "./unbuilt-features.js";

const features = async (text: string): Promise<string[]> =>
  unbuiltFeatures(await parseAgentConfig(new TextEncoder().encode(text), "agent.toml"));

describe("unbuiltFeatures", () => {
  it("finds nothing in a file that leaves them off", async () => {
    expect(await features("[jwks]\nenable = false\n[unlock]\nunlock-tpm = false")).toEqual([]);
  });

  it("finds nothing in settings of other backends that are at their defaults", async () => {
    const text = `vault-addr = "http://127.0.0.1:8200"\ntransit-mount = "transit"\njwt-auth-mount = "jwt"\njwt-role = ""
      jwt-audience = "openbao"\nsvid-ttl-secs = 300\ndb-keystore-cipher = "aegis256"\nonepassword-provider-uri = ""
      onepassword-project = ""\nonepassword-profile = ""\ngrace-versions = 1\nretention-sweep-secs = 60`;
    expect(await features(text)).toEqual([]);
    expect(await features("")).toEqual([]);
  });

  it.for([
    ['vault-addr = "https://vault:8200"', 'vault-addr is "https://vault:8200": the vault backend is not part'],
    ['transit-mount = "other"', 'transit-mount is "other": the vault backend'],
    ['jwt-role = "basil"', 'jwt-role is "basil": the vault backend'],
    ["svid-ttl-secs = 60", "svid-ttl-secs is 60: the vault backend"],
    ['db-keystore-cipher = "aes256"', 'db-keystore-cipher is "aes256": the keystore backend'],
    ['onepassword-project = "p"', 'onepassword-project is "p": the keystore backend'],
    ["grace-versions = 3", "grace-versions is 3: how many older versions verify is a field of a backend's credential"],
  ] as const)("refuses %j by name", async ([text, problem]) => {
    const found = await features(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(problem);
  });

  it.for([
    ["[unlock]\nunlock-tpm = true", "[unlock] unlock-tpm"],
    ["[invocation]\nenable = true", "[invocation] enable"],
    ["[jwks]\nenable = true", "[jwks] enable"],
    ["[jwks.tls]\nenable = true", "[jwks.tls] enable"],
    ["[logging.opentelemetry]\nenable = true", "[logging.opentelemetry] enable"],
    ["retain-versions = 2", "retain-versions"],
  ] as const)("refuses %j by name", async ([text, name]) => {
    const found = await features(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^${name.replaceAll(/[[\].]/g, "\\$&")} is switched on: `));
  });
});
