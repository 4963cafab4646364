import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type AwsCredentials, CredentialStore } from "./credentials.js";

let now = 0;
let folder: string;
beforeEach(async () => {
  now = Date.parse("2026-11-23T00:00:00Z");
  folder = await mkdtemp(join(tmpdir(), "credentials-"));
  for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION"]) {
    vi.stubEnv(name, undefined);
  }
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  vi.stubEnv("AWS_CONFIG_FILE", join(folder, "config"));
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(folder, "credentials"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const writeProfile = (accessKeyId: string) =>
  writeFile(
    join(folder, "credentials"),
    `[basil-agent]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = secret\n`,
  );

/** A store over a source that counts how often it is asked. */
function counting(next: () => AwsCredentials) {
  const source = { asked: 0 };
  const open = () => async () => {
    source.asked += 1;
    return next();
  };
  return { source, store: new CredentialStore({}, open, () => now) };
}

const assertNever = () => {
  throw new Error("asked once too often");
};

describe("CredentialStore", () => {
  it("asks the source once, however many need the credentials", async () => {
    const { source, store } = counting(() => ({ accessKeyId: "a", secretAccessKey: "s" }));
    await Promise.all([store.resolve(), store.resolve(), store.resolve()]);
    await store.resolve();
    expect(source.asked).toBe(1);
  });

  it("asks again five minutes before the credentials expire", async () => {
    const { source, store } = counting(() => ({
      accessKeyId: "a",
      secretAccessKey: "s",
      expiration: new Date(now + 3_600_000),
    }));
    await store.resolve();
    now += 3_299_000;
    await store.resolve();
    expect(source.asked).toBe(1);
    now += 2000;
    await store.resolve();
    expect(source.asked).toBe(2);
  });

  it("serves credentials to their end when the source does not answer any more", async () => {
    const expiration = new Date(now + 60_000);
    let up = true;
    const { store } = counting(() => {
      if (!up) throw new Error("down");
      return { accessKeyId: "a", secretAccessKey: "s", expiration };
    });
    await store.resolve();
    up = false;
    await expect(store.resolve()).resolves.toMatchObject({ accessKeyId: "a" });
    now += 60_000;
    await expect(store.resolve()).rejects.toMatchObject({ name: "CredentialsProviderError" });
  });

  it.for([
    ["a first look at it", undefined, 18_000],
    ["a look before they expire", 60_000, 3000],
  ] as const)(
    "waits for a source that hangs no longer than it may take, at %s, and then starts a fresh one",
    async ([, lastsMs, limitMs]) => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      try {
        const sources: (() => Promise<AwsCredentials>)[] = [];
        if (lastsMs !== undefined) {
          const first = { accessKeyId: "first", secretAccessKey: "s", expiration: new Date(now + lastsMs) };
          sources.push(async () => first);
        }
        sources.push(() => new Promise(() => {}));
        sources.push(async () => ({ accessKeyId: "second", secretAccessKey: "s" }));
        let asked = 0;
        const store = new CredentialStore(
          {},
          () => () => (sources[asked++] ?? assertNever)(),
          () => now,
        );
        if (lastsMs !== undefined) await store.resolve();
        const settled = store.resolve().catch((error: Error) => error.message);
        await vi.advanceTimersByTimeAsync(limitMs);
        if (lastsMs === undefined) expect(await settled).toContain("no answer within 18 s");
        else expect(await settled).toMatchObject({ accessKeyId: "first" });
        now += 10_000;
        expect(await store.resolve()).toMatchObject({ accessKeyId: "second" });
      } finally {
        vi.useRealTimers();
      }
    },
  );

  it("starts a chain afresh after it failed to refresh, and serves what it has for ten seconds before", async () => {
    const expiration = new Date(now + 60_000);
    let opened = 0;
    const open = () => {
      const chain = opened++;
      let asked = 0;
      return async () => {
        if (chain === 0 && asked++ > 0) throw new Error("this chain remembers its failure");
        return { accessKeyId: `chain ${chain}`, secretAccessKey: "s", expiration };
      };
    };
    const store = new CredentialStore({}, open, () => now);
    await store.resolve();
    for (const seconds of [0, 9]) {
      now += seconds * 1000;
      expect(await store.resolve()).toMatchObject({ accessKeyId: "chain 0" });
    }
    now += 1000;
    expect(await store.resolve()).toMatchObject({ accessKeyId: "chain 1" });
  });

  it("goes back to the source when AWS refused the credentials, at most once a second", async () => {
    const { source, store } = counting(() => ({ accessKeyId: `a${source.asked}`, secretAccessKey: "s" }));
    const first = await store.resolve();
    expect(store.renew(first)).toBe(true);
    const second = await store.resolve();
    expect(second.accessKeyId).not.toBe(first.accessKeyId);
    now += 999;
    expect(store.renew(second)).toBe(false);
    now += 1;
    expect(store.renew(second)).toBe(true);
    await store.resolve();
    expect(source.asked).toBe(3);
  });

  it("renews once for many calls that were refused with the same credentials", async () => {
    const { source, store } = counting(() => ({ accessKeyId: "a", secretAccessKey: "s" }));
    const refused = await store.resolve();
    expect(Array.from({ length: 10 }, () => store.renew(refused))).toEqual(Array(10).fill(true));
    await Promise.all(Array.from({ length: 10 }, () => store.resolve()));
    expect(source.asked).toBe(2);
  });

  it("reads a profile anew after its key was rotated", async () => {
    await writeProfile("AKIDONE");
    const store = new CredentialStore({ profile: "basil-agent" });
    const first = await store.resolve();
    expect(first.accessKeyId).toBe("AKIDONE");
    await writeProfile("AKIDTWO");
    await expect(store.resolve()).resolves.toMatchObject({ accessKeyId: "AKIDONE" });
    store.renew(first);
    await expect(store.resolve()).resolves.toMatchObject({ accessKeyId: "AKIDTWO" });
  });

  it("names a profile that does not exist", async () => {
    await writeProfile("AKIDONE");
    await expect(new CredentialStore({ profile: "nobody" }).resolve()).rejects.toThrow(
      /AWS profile "nobody" does not exist/,
    );
  });

  it("says that an SSO session has expired and what to run", async () => {
    await writeFile(
      join(folder, "config"),
      "[profile sso]\nsso_start_url = https://example.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 111122223333\nsso_role_name = r\n",
    );
    vi.stubEnv("HOME", folder);
    await expect(new CredentialStore({ profile: "sso" }).resolve()).rejects.toMatchObject({
      message: expect.stringContaining("SSO session"),
      remedy: "run aws sso login --profile sso",
    });
  });

  it("says that the instance metadata service cannot be reached", async () => {
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", undefined);
    vi.stubEnv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1");
    await expect(new CredentialStore({}).resolve()).rejects.toThrow(/the EC2 instance metadata service did not answer/);
  });

  it("says that no source has credentials", async () => {
    await expect(new CredentialStore({}).resolve()).rejects.toThrow(
      /none in the environment, .* EC2 metadata was not asked/,
    );
  });

  it("never falls back to another identity from a profile that was named", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDHOST");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
    vi.stubEnv("AWS_WEB_IDENTITY_TOKEN_FILE", join(folder, "token"));
    vi.stubEnv("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/host");
    await expect(new CredentialStore({ profile: "nobody" }).resolve()).rejects.toThrow(/does not exist/);
    await expect(new CredentialStore({}).resolve()).resolves.toMatchObject({ accessKeyId: "AKIDHOST" });
  });

  it("looks again after a failure, so that credentials may come later", async () => {
    const store = new CredentialStore({ profile: "basil-agent" });
    await expect(store.resolve()).rejects.toThrow();
    await writeProfile("AKIDONE");
    await expect(store.resolve()).resolves.toMatchObject({ accessKeyId: "AKIDONE" });
  });
});
