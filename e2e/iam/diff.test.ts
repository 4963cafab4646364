import { startKmsEmulator } from "@basil/aws-kms-emulator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seed } from "../stack.js";
import { ARNS, credentials, type Document, IamFolder } from "./iam-folder.js";

let folder: IamFolder;
beforeAll(async () => {
  folder = await IamFolder.open();
});
afterAll(() => folder[Symbol.asyncDispose]());

const type = (line: string, env: Record<string, string> = {}) => folder.type(line, env);
const printed = (line: string, env: Record<string, string> = {}) => folder.printed(line, env);

describe("basil iam diff", { timeout: 60_000 }, () => {
  const line = `basil iam diff deployed.json --identity runtime --catalog catalog.json ${ARNS}`;
  const [signing = "", aead = ""] = ARNS.split(" ")
    .filter((word) => word.includes("="))
    .map((word) => word.split("=")[1] ?? "");
  const difference = async (document: unknown, how = line) => {
    await folder.write("deployed.json", document);
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
    await using emulator = await startKmsEmulator({ keys: [{ spec: "SYMMETRIC_DEFAULT", id: key }] });
    const env = { ...credentials(emulator.rootCredentials), AWS_ENDPOINT_URL_KMS: emulator.endpoint };
    await printed(`basil bundle create kms.sealed --slot aws-kms:key=${key},region=us-east-1 --json`, env);
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
    await folder.write("one.json", half(signing));
    await folder.write("two.json", half(aead));
    await printed(line.replace("deployed.json", "one.json two.json"));
    const piped = await folder.type(
      line.replace("deployed.json", "one.json -"),
      {},
      {
        stdin: JSON.stringify(half(aead)),
      },
    );
    expect(piped).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await type(line.replace("deployed.json", "one.json"))).toMatchObject({ exitCode: 1 });
  });

  it("is about the runtime identity unless another is named", async () => {
    const unnamed = line.replace(" --identity runtime", "");
    expect(await difference(await seed.json("iam-runtime.json"), unnamed)).toMatchObject({ equal: true });
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
