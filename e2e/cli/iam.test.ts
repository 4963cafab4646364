import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startKmsEmulator } from "@basil/aws-kms-emulator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Stack, seed } from "../stack.js";
import { typed } from "./typed.js";

const uid = process.getuid?.() ?? 0;
const ARNS = [
  "--arn jwt.signing.primary=arn:aws:kms:us-east-1:111122223333:key/1111abcd-12ab-34cd-56ef-1234567890ab",
  "--arn payload.aead=arn:aws:kms:us-east-1:111122223333:key/2222abcd-12ab-34cd-56ef-1234567890ab",
].join(" ");
/** Somebody signs, somebody decrypts; nobody verifies, encrypts or reads a public key. */
const KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/1111abcd-12ab-34cd-56ef-";
const POLICY = {
  schemaVersion: 2,
  subjects: { me: { allOf: [{ kind: "unix", uid }] } },
  rules: [
    { id: "signs", subjects: ["me"], action: ["op:sign", "op:encrypt"], target: ["jwt.**"] },
    { id: "opens", subjects: ["me"], action: ["op:decrypt"], target: ["payload.aead"] },
  ],
};
const KEYS = [
  { spec: "ECC_NIST_P256", aliases: ["alias/basil/jwt-signing-primary"] },
  { spec: "SYMMETRIC_DEFAULT", aliases: ["alias/basil/payload-aead"] },
] as const;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "basil-iam-"));
  await writeFile(join(folder, "catalog.json"), await seed.text("catalog.json"));
  await writeFile(join(folder, "policy.json"), JSON.stringify(POLICY));
  await writeFile(join(folder, "bad.json"), '{"Version": ');
  await writeFile(join(folder, "trust.json"), await seed.text("ec2-trust.json"));
});
afterAll(() => rm(folder, { recursive: true }));

const type = (line: string, env: Record<string, string> = {}) => typed(line, { cwd: folder, env });

interface Document {
  readonly Statement: readonly Record<string, unknown>[];
}

const credentials = ({ accessKeyId, secretAccessKey }: { accessKeyId: string; secretAccessKey: string }) => ({
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_EC2_METADATA_DISABLED: "true",
});

async function printed(line: string, env: Record<string, string> = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await type(line, env);
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  return stdout;
}

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
    await writeFile(join(folder, "direct.json"), JSON.stringify(catalog));
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
    await using emulator = await startKmsEmulator({ keys: KEYS });
    const env = {
      AWS_ENDPOINT_URL_KMS: emulator.endpoint,
      AWS_ACCESS_KEY_ID: emulator.rootCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: emulator.rootCredentials.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: "true",
    };
    const text = await printed("basil iam policy --identity runtime --catalog catalog.json --region us-east-1", env);
    const arns = emulator.keys.list().map(({ arn }) => arn);
    expect((JSON.parse(text) as { Statement: { Resource: string[] }[] }).Statement[0]?.Resource).toEqual(arns);
  });

  it("writes a least policy that lets every granted operation through, and nothing else", async () => {
    await using stack = await Stack.start({
      catalog: await seed.text("catalog.json"),
      policy: POLICY,
      emulator: { keys: [...KEYS] },
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
    await using emulator = await startKmsEmulator({ keys: KEYS });
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
    await writeFile(
      join(folder, "long.json"),
      JSON.stringify({
        ...catalog,
        keys: Object.fromEntries(names.map((name) => [name, { ...entry, path: `alias/basil/${name.slice(2)}` }])),
      }),
    );
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
    await printed(`${runtime} ${ARNS}`, { BASIL_SOCKET: join(folder, "no.sock") });
  });

  it("is interrupted by Ctrl-C while KMS is silent", async () => {
    await using emulator = await startKmsEmulator({
      keys: KEYS,
      faults: [{ fault: { kind: "hang" }, times: Number.POSITIVE_INFINITY }],
    });
    const env = { ...credentials(emulator.rootCredentials), AWS_ENDPOINT_URL_KMS: emulator.endpoint };
    const { exitCode, stdout } = await typed(`${runtime} --region us-east-1`, {
      cwd: folder,
      env,
      onSpawn: (kill) => setTimeout(() => kill("SIGINT"), 1500),
    });
    expect(exitCode).toBe(5);
    expect(stdout).toBe("");
  });

  it("says nothing more when nobody reads", async () => {
    const { stderr } = await typed(`${runtime} ${ARNS}`, { cwd: folder, deaf: true });
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

describe("basil iam diff", { timeout: 60_000 }, () => {
  const line = `basil iam diff deployed.json --identity runtime --catalog catalog.json ${ARNS}`;
  const [signing = "", aead = ""] = ARNS.split(" ")
    .filter((word) => word.includes("="))
    .map((word) => word.split("=")[1] ?? "");
  const difference = async (document: unknown, how = line) => {
    await writeFile(join(folder, "deployed.json"), JSON.stringify(document));
    const { exitCode, stdout, stderr } = await type(`${how} --json`);
    expect(stderr).toBe("");
    const report = JSON.parse(stdout) as Record<string, unknown> & { equal: boolean };
    expect(exitCode).toBe(report.equal ? 0 : 1);
    return report;
  };

  it("finds the page's policies equal to what is needed, for each identity", async () => {
    const place = "--region us-east-1 --account 111122223333";
    expect(await difference(await seed.json("iam-runtime.json"))).toEqual({
      equal: true,
      lacking: [],
      excess: [],
      unjudged: [],
      remarks: [],
    });
    for (const identity of ["provisioner", "rotator"]) {
      const same = JSON.parse(await printed(`basil iam policy --identity ${identity} --catalog catalog.json ${place}`));
      const how = `basil iam diff deployed.json --identity ${identity} --catalog catalog.json ${place}`;
      expect(await difference(same, how)).toMatchObject({ equal: true });
      expect(await difference(await seed.json("iam-runtime.json"), how)).toMatchObject({ equal: false });
    }
  });

  it("names what lacks and what is too much, key by key, and prints a table", async () => {
    const Statement = [
      {
        Sid: "Use",
        Effect: "Allow",
        Action: ["kms:Sign", "kms:Verify", "kms:Get*", "kms:DescribeKey"],
        Resource: signing,
      },
      { Sid: "Rest", Effect: "Allow", Action: "kms:*crypt", Resource: [signing, aead] },
      { Effect: "Deny", Action: "kms:Decrypt", Resource: "*" },
    ];
    const report = await difference({ Version: "2012-10-17", Statement });
    expect(report).toMatchObject({
      equal: false,
      lacking: [
        { key: "jwt.signing.primary", resource: signing, actions: ["kms:Decrypt"] },
        {
          key: "payload.aead",
          resource: aead,
          actions: ["kms:Sign", "kms:Verify", "kms:GetPublicKey", "kms:DescribeKey", "kms:Decrypt"],
        },
      ],
      excess: [
        {
          key: "jwt.signing.primary",
          actions: [
            "kms:GetKeyLastUsage",
            "kms:GetKeyPolicy",
            "kms:GetKeyRotationStatus",
            "kms:GetParametersForImport",
          ],
        },
      ],
      unjudged: [],
    });
    const { stdout } = await type(line);
    expect(stdout.split("\n")[0]).toBe("DIFFERENCE\tKEY\tACTIONS\tRESOURCE\tNOTE");
    expect(stdout).toContain(`lacking\tjwt.signing.primary\tkms:Decrypt\t${signing}\t`);
  });

  it("with --policy wants no more than the rules need", async () => {
    const report = await difference(await seed.json("iam-runtime.json"), `${line} --policy policy.json`);
    expect(report).toMatchObject({
      lacking: [],
      excess: [
        { key: "jwt.signing.primary", actions: ["kms:Verify", "kms:GetPublicKey", "kms:Encrypt", "kms:Decrypt"] },
        { key: "payload.aead", actions: ["kms:Sign", "kms:Verify", "kms:GetPublicKey", "kms:Encrypt"] },
      ],
    });
  });

  it("takes the request-alias form for enough where an alias is asked for, and for too much beside it", async () => {
    const style = "--style request-alias --region us-east-1 --account 111122223333";
    const document = JSON.parse(await printed(`basil iam policy --identity runtime --catalog catalog.json ${style}`));
    expect(await difference(document)).toMatchObject({
      lacking: [],
      excess: [{ resource: "arn:aws:kms:us-east-1:111122223333:key/*", alias: "alias/basil/example" }],
    });
    expect(await difference(document, `${line.replace(ARNS, "")} ${style}`)).toMatchObject({ equal: true });
  });

  it("says what it cannot judge, and on what that depends", async () => {
    const { Statement } = (await seed.json("iam-runtime.json")) as Document;
    const conditions = [
      { Bool: { "aws:MultiFactorAuthPresent": "true" } },
      { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } },
      { StringEquals: { "aws:ResourceTag/team": "payments" } },
      { StringEquals: { "kms:EncryptionContext:tenant": "a" } },
    ];
    for (const Condition of conditions) {
      const [operator = "", of = {}] = Object.entries(Condition)[0] ?? [];
      const report = await difference({ Version: "2012-10-17", Statement: [{ ...Statement[0], Condition }] });
      expect(report).toMatchObject({ equal: false, lacking: [], excess: [] });
      expect(JSON.stringify(report.unjudged)).toContain(`: ${operator} ${Object.keys(of)[0]}`);
    }
    // Basil calls KMS itself: what only other services may do does not help it, and may still be too much.
    const Condition = { StringEquals: { "kms:ViaService": "s3.us-east-1.amazonaws.com" } };
    const report = await difference({ Version: "2012-10-17", Statement: [{ ...Statement[0], Condition }] });
    expect(report).toMatchObject({ lacking: [{ key: "jwt.signing.primary" }, { key: "payload.aead" }], excess: [] });
  });

  it("remarks on alias ARNs, which give nothing, and on other services, which are not compared", async () => {
    const Resource = "arn:aws:kms:us-east-1:111122223333:alias/basil/*";
    const Statement = [
      { Effect: "Allow", Action: ["kms:Sign"], Resource },
      { Effect: "Allow", Action: "logs:PutLogEvents", Resource: "*" },
      { Effect: "Allow", Action: "kms:Teleport", Resource: signing },
    ];
    const { remarks, unjudged } = await difference({ Version: "2012-10-17", Statement });
    expect(remarks).toEqual([
      expect.stringContaining("never by an alias'"),
      expect.stringContaining("also allows logs:PutLogEvents"),
    ]);
    expect(unjudged).toMatchObject([{ actions: ["kms:Teleport"] }]);
  });

  it("counts the key of the bundle's slot", async () => {
    const key = "arn:aws:kms:us-east-1:111122223333:key/3333abcd-12ab-34cd-56ef-1234567890ab";
    const { Statement } = (await seed.json("iam-runtime.json")) as Document;
    expect(await difference({ Statement }, `${line} --bundle kms.sealed`)).toMatchObject({
      lacking: [{ resource: key, actions: ["kms:Decrypt"] }],
    });
    const unlock = { Effect: "Allow", Action: "kms:Decrypt", Resource: key };
    const both = { Statement: [...Statement, unlock] };
    expect(await difference(both, `${line} --bundle kms.sealed`)).toMatchObject({ equal: true });
    expect(await difference(both)).toMatchObject({
      equal: false,
      excess: [{ resource: key, actions: ["kms:Decrypt"] }],
    });
  });

  it("reads several policies as one, what aws prints around a document, and standard input", async () => {
    const { Statement } = (await seed.json("iam-runtime.json")) as Document;
    const half = (Resource: string) => ({ PolicyVersion: { Document: { Statement: { ...Statement[0], Resource } } } });
    await writeFile(join(folder, "one.json"), JSON.stringify(half(signing)));
    await writeFile(join(folder, "two.json"), JSON.stringify(half(aead)));
    await printed(line.replace("deployed.json", "one.json two.json"));
    const piped = await typed(line.replace("deployed.json", "one.json -"), {
      cwd: folder,
      stdin: JSON.stringify(half(aead)),
    });
    expect(piped).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await type(line.replace("deployed.json", "one.json"))).toMatchObject({ exitCode: 1 });
  });

  it.for([
    ["basil iam diff --identity runtime --catalog catalog.json", "missing required argument 'file'", 2],
    [line.replace("deployed.json", "absent.json"), "the policy absent.json cannot be read: there is no such file", 1],
    [line.replace("deployed.json", "."), "cannot be read: it is a directory", 1],
    [line.replace("deployed.json", "bad.json"), "it is not JSON", 1],
    [line.replace("deployed.json", "catalog.json"), "Statement: is missing", 1],
    [line.replace("deployed.json", "trust.json"), "Statement[0].Principal: is there", 1],
    [`${line} --nope`, "unknown option '--nope'", 2],
  ] as const)("%s is refused", async ([words, what, code]) => {
    const { exitCode, stdout, stderr } = await type(words);
    expect(stderr).toContain(what);
    expect(stderr).toMatch(/^error: .+\n(?: {2}.+\n)*hint: .+\n$/);
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
