import { describe, expect, it } from "vitest";
import { parseAgentConfig } from "./load-agent-config.js";
import { unbuiltFeatures } from "./unbuilt-features.js";

const features = async (text: string): Promise<string[]> =>
  unbuiltFeatures(await parseAgentConfig(new TextEncoder().encode(text), "agent.toml"));

describe("unbuiltFeatures", () => {
  it("finds nothing in a file that leaves them off", async () => {
    expect(await features("[jwks]\nenable = false\n[unlock]\nunlock-tpm = false")).toEqual([]);
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
