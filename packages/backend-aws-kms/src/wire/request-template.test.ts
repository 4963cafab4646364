import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { requestTemplate } from "./request-template.js";

beforeEach(() => {
  vi.stubEnv("AWS_CONFIG_FILE", "/dev/null");
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
});
afterEach(() => vi.unstubAllEnvs());

describe("requestTemplate", () => {
  it.for([
    ["the region's endpoint", {}, "https://kms.eu-central-1.amazonaws.com", "/"],
    ["the FIPS endpoint", { useFipsEndpoint: true }, "https://kms-fips.eu-central-1.amazonaws.com", "/"],
    ["the dual-stack endpoint", { useDualstackEndpoint: true }, "https://kms.eu-central-1.api.aws", "/"],
    ["a custom endpoint", { endpoint: "http://127.0.0.1:4599" }, "http://127.0.0.1:4599", "/"],
    ["one with a path", { endpoint: "https://proxy.example/kms" }, "https://proxy.example", "/kms/"],
    ["one on IPv6", { endpoint: "http://[::1]:4599" }, "http://[::1]:4599", "/"],
  ] as const)("goes to %s", async ([, options, origin, path]) => {
    const template = await requestTemplate({ region: "eu-central-1", ...options });
    expect(template).toMatchObject({ origin, path, pathAndQuery: path, region: "eu-central-1", service: "kms" });
    expect(template.headers).toEqual({
      "content-type": "application/x-amz-json-1.1",
      host: new URL(origin).host,
    });
    expect(Object.keys(template.unsignedHeaders)).toContain("user-agent");
    expect(Object.keys(template.unsignedHeaders)).not.toContain("authorization");
  });

  it("goes where AWS_ENDPOINT_URL_KMS says, and signs for AWS_REGION", async () => {
    vi.stubEnv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:4600");
    vi.stubEnv("AWS_REGION", "us-west-2");
    expect(await requestTemplate({})).toMatchObject({ origin: "http://127.0.0.1:4600", region: "us-west-2" });
  });

  it("fails as the SDK does when no region is configured", async () => {
    vi.stubEnv("AWS_REGION", undefined);
    vi.stubEnv("AWS_DEFAULT_REGION", undefined);
    await expect(requestTemplate({})).rejects.toThrow("Region is missing");
  });
});
