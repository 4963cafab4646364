import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type KmsEmulator, startKmsEmulator } from "../index.js";

const trust = (Service: string) => ({
  Version: "2012-10-17",
  Statement: { Effect: "Allow", Principal: { Service }, Action: "sts:AssumeRole" },
});
const securityCredentials = "/latest/meta-data/iam/security-credentials/";

describe("credential sources", () => {
  let emulator: KmsEmulator;

  beforeAll(async () => {
    emulator = await startKmsEmulator({
      roles: [
        { name: "host", trust: trust("ec2.amazonaws.com") },
        { name: "pod", trust: trust("pods.eks.amazonaws.com") },
        { name: "person" },
      ],
      instanceProfiles: [{ name: "host", role: "host" }],
      instanceMetadata: { instanceProfile: "host" },
      containerCredentials: { role: "pod", authorizationToken: "pod-token" },
      ssoPortal: { accessToken: "person-token", roles: ["person"] },
    });
  });

  afterAll(() => emulator.close());

  const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
    fetch(emulator.endpoint + path, { method, headers });
  const token = async (ttl = "60") =>
    (await get("/latest/api/token", { "x-aws-ec2-metadata-token-ttl-seconds": ttl }, "PUT")).text();

  describe("instance metadata", () => {
    it("gives nothing without a token: version 1 is off", async () => {
      expect((await get(securityCredentials)).status).toBe(401);
      expect((await get(securityCredentials, { "x-aws-ec2-metadata-token": "made up" })).status).toBe(401);
    });

    it("gives the role's name and its credentials with one", async () => {
      const headers = { "x-aws-ec2-metadata-token": await token() };
      expect(await (await get(securityCredentials, headers)).text()).toBe("host");
      const first = await (await get(`${securityCredentials}host`, headers)).json();
      expect(first).toMatchObject({
        Code: "Success",
        AccessKeyId: expect.stringMatching(/^ASIA/),
        Token: expect.any(String),
      });
      expect(await (await get(`${securityCredentials}host`, headers)).json()).toEqual(first);
      expect(await (await get("/latest/meta-data/placement/region", headers)).text()).toBe("us-east-1");
      expect((await get(`${securityCredentials}other`, headers)).status).toBe(404);
    });

    it.for(["0", "21601", "x"])("refuses a token lifetime of %s", async (ttl) => {
      const response = await get("/latest/api/token", { "x-aws-ec2-metadata-token-ttl-seconds": ttl ?? "" }, "PUT");
      expect(response.status).toBe(400);
    });

    it("lets a token go with its lifetime", async () => {
      let now = Date.now();
      await using timed = await startKmsEmulator({ now: () => now, instanceMetadata: { instanceProfile: "none" } });
      const put = { method: "PUT", headers: { "x-aws-ec2-metadata-token-ttl-seconds": "60" } };
      const headers = {
        "x-aws-ec2-metadata-token": await (await fetch(`${timed.endpoint}/latest/api/token`, put)).text(),
      };
      expect((await fetch(timed.endpoint + securityCredentials, { headers })).status).toBe(404);
      now += 60_000;
      expect((await fetch(timed.endpoint + securityCredentials, { headers })).status).toBe(401);
    });

    it("says so when EC2 may not assume the role", async () => {
      await using closed = await startKmsEmulator({
        roles: [{ name: "r" }],
        instanceProfiles: [{ name: "p", role: "r" }],
        instanceMetadata: { instanceProfile: "p" },
      });
      const put = { method: "PUT", headers: { "x-aws-ec2-metadata-token-ttl-seconds": "60" } };
      const headers = {
        "x-aws-ec2-metadata-token": await (await fetch(`${closed.endpoint}/latest/api/token`, put)).text(),
      };
      const answer = await (await fetch(`${closed.endpoint}${securityCredentials}r`, { headers })).json();
      expect(answer).toMatchObject({ Code: "AssumeRoleUnauthorizedAccess" });
    });
  });

  it("container credentials need the authorization token", async () => {
    const uri = emulator.containerCredentialsUri.slice(emulator.endpoint.length);
    expect((await get(uri)).status).toBe(401);
    expect((await get(uri, { authorization: "pod-tokem" })).status).toBe(401);
    expect(await (await get(uri, { authorization: "pod-token" })).json()).toMatchObject({
      AccountId: "111122223333",
      AccessKeyId: expect.stringMatching(/^ASIA/),
    });
  });

  it("the SSO portal needs the access token, the account and a role of the person", async () => {
    const credentials = (role: string, account = "111122223333", bearer = "person-token") =>
      get(`/federation/credentials?role_name=${role}&account_id=${account}`, { "x-amz-sso_bearer_token": bearer });
    expect((await credentials("person", "111122223333", "x")).status).toBe(401);
    expect((await credentials("pod")).status).toBe(403);
    expect((await credentials("person", "999900001111")).status).toBe(403);
    expect(await (await credentials("person")).json()).toMatchObject({
      roleCredentials: { accessKeyId: expect.stringMatching(/^ASIA/) },
    });
  });

  it("are not there unless they are switched on", async () => {
    await using plain = await startKmsEmulator();
    for (const path of ["/latest/api/token", "/v1/credentials", "/federation/credentials"]) {
      expect((await fetch(plain.endpoint + path, { method: path.endsWith("token") ? "PUT" : "GET" })).status).toBe(404);
    }
  });
});
