import { describe, expect, it } from "vitest";
import { type KmsEmulatorOptions, startKmsEmulator } from "./index.js";

describe("options", () => {
  it.for([
    ["kays", { kays: [] }],
    ["roles[0].trustPolicy", { roles: [{ name: "worker", trustPolicy: {} }] }],
    ["users[0].policy", { users: [{ name: "ann", policy: {} }] }],
    ["keys[0].alias", { keys: [{ spec: "HMAC_256", alias: "alias/x" }] }],
    ["instanceProfiles[0].roleName", { instanceProfiles: [{ name: "p", roleName: "r" }] }],
    ["rootAccessKey.id", { rootAccessKey: { accessKeyId: "A", secretAccessKey: "s", id: 1 } }],
    ["instanceMetadata.profile", { instanceMetadata: { instanceProfile: "p", profile: "p" } }],
    ["containerCredentials.token", { containerCredentials: { role: "r", authorizationToken: "t", token: "t" } }],
    ["ssoPortal.token", { ssoPortal: { accessToken: "t", roles: [], token: "t" } }],
    ["faults[0].count", { faults: [{ fault: { kind: "throttle" }, count: 1 }] }],
    ["faults[0].fault.status", { faults: [{ fault: { kind: "throttle", status: 400 } }] }],
    ["propagation.aliasesMs", { propagation: { aliasesMs: 1 } }],
    ["latencyMs.most", { latencyMs: { min: 1, max: 2, most: 3 } }],
    ["callLog.size", { callLog: { size: 1 } }],
  ] as const)("that do not exist are refused by name: %s", async ([path, options]) => {
    await expect(startKmsEmulator(options as unknown as KmsEmulatorOptions)).rejects.toMatchObject({
      code: "OPTION_INVALID",
      details: { path },
      message: expect.stringContaining("is not an option; allowed: "),
    });
  });
});
