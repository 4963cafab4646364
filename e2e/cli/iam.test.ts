import { join } from "node:path";
import { startKmsEmulator } from "@basil/aws-kms-emulator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ARNS, credentials, type Document, IamFolder, POLICY } from "../iam/iam-folder.js";
import { SEED_KEYS } from "../seed-keys.js";
import { Stack, seed } from "../stack.js";
import { typed } from "./typed.js";

const KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/1111abcd-12ab-34cd-56ef-";

let folder: IamFolder;
beforeAll(async () => {
  folder = await IamFolder.open();
});
afterAll(() => folder[Symbol.asyncDispose]());

const type = (line: string, env: Record<string, string> = {}) => folder.type(line, env);
const printed = (line: string, env: Record<string, string> = {}) => folder.printed(line, env);

describe("basil iam policy", () => {
  it.for(["runtime", "provisioner"] as const)("writes the page's %s policy, to the letter", async (identity) => {
    const text = await printed(`basil iam policy --identity ${identity} --catalog catalog.json ${ARNS}`);
    expect(text.trimEnd()).toBe((await seed.text(`iam-${identity}.json`)).trimEnd());
  });

  it("writes the page's condition for --style request-alias", async () => {
    const line =
      "basil iam policy --identity runtime --style request-alias --catalog catalog.json --region us-east-1 --account 111122223333";
    const { Statement } = JSON.parse(await printed(line)) as { Statement: Record<string, unknown>[] };
    expect(Statement[0]).toMatchObject((await seed.json("condition-request-alias.json")) as object);
  });

  it("refuses request-alias for a key that is reached by its ARN, and names it", async () => {
    const catalog = (await seed.json("catalog.json")) as { keys: Record<string, { path: string }> };
    catalog.keys["payload.aead"]!.path = "2222abcd-12ab-34cd-56ef-1234567890ab";
    await folder.write("direct.json", catalog);
    const line =
      "basil iam policy --identity runtime --style request-alias --catalog direct.json --region us-east-1 --account 111122223333";
    const { exitCode, stderr } = await type(line);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('key "payload.aead"');
  });

  it("with --policy grants what some rule lets somebody do with the class of the key, and DescribeKey", async () => {
    const text = await printed(
      `basil iam policy --identity runtime --catalog catalog.json --policy policy.json ${ARNS}`,
    );
    expect(JSON.parse(text)).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "BasilSignDescribeKey",
          Effect: "Allow",
          Action: ["kms:Sign", "kms:DescribeKey"],
          Resource: "arn:aws:kms:us-east-1:111122223333:key/1111abcd-12ab-34cd-56ef-1234567890ab",
        },
        {
          Sid: "BasilDescribeKeyDecrypt",
          Effect: "Allow",
          Action: ["kms:DescribeKey", "kms:Decrypt"],
          Resource: "arn:aws:kms:us-east-1:111122223333:key/2222abcd-12ab-34cd-56ef-1234567890ab",
        },
      ],
    });
  });

  it("asks KMS for the ARNs that are not given, and a broker runs on what it wrote", async () => {
    await using emulator = await startKmsEmulator({ keys: SEED_KEYS });
    const env = {
      AWS_ENDPOINT_URL_KMS: emulator.endpoint,
      AWS_ACCESS_KEY_ID: emulator.rootCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: emulator.rootCredentials.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: "true",
    };
    const text = await printed("basil iam policy --identity runtime --catalog catalog.json --region us-east-1", env);
    const arns = emulator.keys.list().map(({ arn }) => arn);
    expect((JSON.parse(text) as { Statement: { Resource: string[] }[] }).Statement[0]?.Resource).toEqual(arns);
    const line = "basil iam policy --identity runtime --catalog catalog.json";
    expect(await printed(line, { ...env, AWS_REGION: "us-east-1" })).toBe(text);
  });

  it("writes a least policy that lets every granted operation through, and nothing else", async () => {
    await using stack = await Stack.start({
      catalog: await seed.text("catalog.json"),
      policy: POLICY,
      emulator: { keys: SEED_KEYS },
    });
    const line = `basil iam policy --identity runtime --region us-east-1 --catalog catalog.json --policy policy.json`;
    const document = await printed(line, stack.env);
    stack.emulator.principals.setPolicies("basil-runtime", [document]);
    await using _agent = await stack.startAgent();
    const sign = await typed("basil sign --key-id jwt.signing.primary text", { env: stack.env });
    expect(sign).toMatchObject({ exitCode: 0 });
    // Where it may, the broker holds a key's first signature against its public key; where it may not, it serves without.
    const denied = stack.emulator.calls.filter(({ decision }) => decision === "deny");
    expect(denied.filter(({ operation }) => operation !== "GetPublicKey")).toEqual([]);
    expect(document).not.toMatch(/kms:(Verify|GetPublicKey|Encrypt)/);
  });

  it.for([
    ["basil iam policy --catalog catalog.json", "required option '--identity <name>'", 2],
    ["basil iam policy --identity root --catalog catalog.json", "Allowed choices are runtime, provisioner, rotator", 2],
    [
      "basil iam policy --identity runtime --catalog catalog.json",
      "the ARNs of jwt.signing.primary, payload.aead are not known",
      2,
    ],
    ["basil iam policy --identity runtime --catalog catalog.json --arn nokey", "is not KEY=ARN", 2],
    [
      "basil iam policy --identity runtime --catalog catalog.json --arn payload.aead=arn:x",
      "is not the ARN of a KMS key",
      2,
    ],
    [
      `basil iam policy --identity runtime --catalog catalog.json ${ARNS.replace("payload.aead", "other.key")}`,
      "no key of an aws-kms backend",
      2,
    ],
    ["basil iam policy --identity provisioner --catalog catalog.json --region us-east-1 --account 1", "12 digits", 2],
    ["basil iam policy --identity runtime --catalog absent.json", "absent.json cannot be read", 1],
  ] as const)("%s is refused", async ([line, what, code]) => {
    const { exitCode, stdout, stderr } = await type(line);
    expect(stderr).toContain(what);
    expect(exitCode).toBe(code);
    expect(stdout).toBe("");
  });
});

describe("basil iam policy, whatever happens", { timeout: 60_000 }, () => {
  const runtime = "basil iam policy --identity runtime --catalog catalog.json";

  it("adds kms:Decrypt on the key that opens the bundle, in both styles", async () => {
    const key = "arn:aws:kms:us-east-1:111122223333:key/3333abcd-12ab-34cd-56ef-1234567890ab";
    await using emulator = await startKmsEmulator({ keys: [{ spec: "SYMMETRIC_DEFAULT", id: key }] });
    const env = { ...credentials(emulator.rootCredentials), AWS_ENDPOINT_URL_KMS: emulator.endpoint };
    const slot = `aws-kms:key=${key},region=us-east-1`;
    await printed(`basil bundle create kms.sealed --slot ${slot} --json`, env);
    const unlock = { Sid: "BasilUnlockBundle", Effect: "Allow", Action: "kms:Decrypt", Resource: [key] };
    for (const how of [ARNS, "--style request-alias --region us-east-1 --account 111122223333"]) {
      const { Statement } = JSON.parse(await printed(`${runtime} --bundle kms.sealed ${how}`)) as Document;
      expect(Statement[1]).toEqual(unlock);
    }
    const { exitCode, stderr } = await type(`${runtime} --bundle catalog.json ${ARNS}`);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("catalog.json");
  });

  it("asks DescribeKey and nothing else, and says what to do when that is denied or not answered", async () => {
    await using emulator = await startKmsEmulator({ keys: SEED_KEYS });
    const nobody = emulator.principals.createUser({ name: "nobody" });
    const env = { ...credentials(nobody), AWS_ENDPOINT_URL_KMS: emulator.endpoint };
    const denied = await type(`${runtime} --region us-east-1`, env);
    expect(denied).toMatchObject({ exitCode: 1, stdout: "" });
    expect(denied.stderr).toContain("kms:DescribeKey");
    expect(denied.stderr).toContain("hint: give it with --arn jwt.signing.primary=ARN");
    expect(new Set(emulator.calls.map(({ operation }) => operation))).toEqual(new Set(["DescribeKey"]));
    const silent = await type(`${runtime} --region us-east-1`, {
      ...credentials(nobody),
      AWS_ENDPOINT_URL_KMS: "http://127.0.0.1:1",
    });
    expect(silent.stdout).toBe("");
    expect(silent.exitCode).toBe(6);
  });

  it("warns of a document that is longer than AWS takes, and lists a key of two names once", async () => {
    const catalog = (await seed.json("catalog.json")) as { keys: Record<string, object> };
    const [entry = {}] = Object.values(catalog.keys);
    const names = Array.from({ length: 90 }, (_, at) => `k.n${at}`);
    await folder.write("long.json", {
      ...catalog,
      keys: Object.fromEntries(names.map((name) => [name, { ...entry, path: `alias/basil/${name.slice(2)}` }])),
    });
    const line = (id: (at: number) => number) => {
      const arns = names.map((name, at) => `--arn ${name}=${KEY_ARN}${String(id(at)).padStart(12, "0")}`);
      return `basil iam policy --identity runtime --catalog long.json ${arns.join(" ")}`;
    };
    const { exitCode, stdout, stderr } = await type(line((at) => at));
    expect(exitCode).toBe(0);
    expect((JSON.parse(stdout) as { Statement: { Resource: string[] }[] }).Statement[0]?.Resource).toHaveLength(90);
    expect(stderr).toMatch(
      /^warning: the policy has \d+ characters, .* at most 6144, .*--style request-alias names no keys\n$/,
    );
    const one = JSON.parse(await printed(line(() => 1))) as { Statement: { Resource: string[] }[] };
    expect(one.Statement[0]?.Resource).toHaveLength(1);
  });

  it("needs no broker, and minds none that is not there", async () => {
    await printed(`${runtime} ${ARNS}`, { BASIL_SOCKET: join(folder.path, "no.sock") });
  });

  it("is interrupted by Ctrl-C while KMS is silent", async () => {
    await using emulator = await startKmsEmulator({
      keys: SEED_KEYS,
      faults: [{ fault: { kind: "hang" }, times: Number.POSITIVE_INFINITY }],
    });
    const env = { ...credentials(emulator.rootCredentials), AWS_ENDPOINT_URL_KMS: emulator.endpoint };
    const { exitCode, stdout } = await typed(`${runtime} --region us-east-1`, {
      cwd: folder.path,
      env,
      onSpawn: (kill) => setTimeout(() => kill("SIGINT"), 1500),
    });
    expect(exitCode).toBe(5);
    expect(stdout).toBe("");
  });

  it("says nothing more when nobody reads", async () => {
    const { stderr } = await typed(`${runtime} ${ARNS}`, { cwd: folder.path, deaf: true });
    expect(stderr).not.toContain("    at ");
  });

  it.for([
    [`${runtime} --nope`, "unknown option '--nope'", 2],
    ["basil iam policy --identity runtime --catalog bad.json", "bad.json is refused", 1],
    [`${runtime} --policy bad.json ${ARNS}`, "bad.json is refused", 1],
    [`${runtime} --policy absent.json ${ARNS}`, "absent.json cannot be read: there is no such file", 1],
    [`${runtime} --catalog . ${ARNS}`, "cannot be read: it is a directory", 1],
    [`${runtime} --style by-name ${ARNS}`, "Allowed choices are request-alias", 2],
    ["basil iam", "", 2],
  ] as const)("%s is refused", async ([line, what, code]) => {
    const { exitCode, stdout, stderr } = await type(line);
    expect(stderr).toContain(what);
    expect(exitCode).toBe(code);
    expect(stdout).toBe("");
  });
});

describe("basil iam trust", () => {
  it("writes the page's documents for EC2 and for a service account", async () => {
    expect(JSON.parse(await printed("basil iam trust ec2"))).toEqual(await seed.json("ec2-trust.json"));
    const issuer = "oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE";
    const line = `basil iam trust irsa --account 111122223333 --oidc-provider ${issuer} --service-account basil/basil-agent`;
    expect(JSON.parse(await printed(line))).toEqual(await seed.json("irsa-trust.json"));
  });

  it("writes the trust of EKS Pod Identity, whose agent also tags its sessions", async () => {
    expect(JSON.parse(await printed("basil iam trust pod-identity"))).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Service: "pods.eks.amazonaws.com" },
          Action: ["sts:AssumeRole", "sts:TagSession"],
        },
      ],
    });
  });

  it.for([
    ["--account 1 --oidc-provider a.b/c --service-account n/s", '--account is "1"; allowed: 12 digits'],
    ["--account 111122223333 --oidc-provider https://a.b --service-account n/s", "host/path without https://"],
    ["--account 111122223333 --oidc-provider a.b/c --service-account basil", "allowed: NAMESPACE/NAME"],
    ["--nope", "unknown option '--nope'"],
  ] as const)("irsa %s is refused", async ([flags, what]) => {
    const { exitCode, stdout, stderr } = await type(`basil iam trust irsa ${flags}`);
    expect(stderr).toContain(what);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  });

  it("names what irsa needs", async () => {
    expect(await type("basil iam trust irsa")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("--oidc-provider is missing"),
    });
    expect(await type("basil iam trust gke")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("ec2, irsa, pod-identity"),
    });
  });
});
