import { readFileSync } from "node:fs";
import { BACKEND_ERROR_CODES } from "@basil/core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { runReadmeProgram } from "../../../tests/readme-program.js";
import { emulated, seedDocument, useProfiles } from "../test/emulated.js";
import { awsKmsCredentialSchema } from "./credential.js";
import { type AwsKmsPermission, awsKmsPermissions } from "./permissions.js";

beforeAll(useProfiles);
afterAll(() => vi.unstubAllEnvs());

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const readme = read("../README.md");
const operators = read("../../../docs/backend-aws-kms.md");

function permissionTable(permissions: readonly AwsKmsPermission[]): string {
  const rows = permissions.map(({ action, resource, neededFor }) => `| \`${action}\` | ${resource} | ${neededFor} |`);
  return ["| Action | Resource | For |", "|---|---|---|", ...rows].join("\n");
}

const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(([, block = ""]) => block.trim());

describe("README", () => {
  it("holds a whole program that runs", async () => {
    await using test = await emulated({
      keys: [{ spec: "ECC_NIST_P256", aliases: ["alias/basil/jwt-signing-primary"] }],
    });
    vi.stubEnv("AWS_PROFILE", "admin");
    vi.stubEnv("AWS_ENDPOINT_URL_KMS", test.emulator.endpoint);
    const sources = { "@basil/backend-aws-kms": new URL("index.ts", import.meta.url) };
    expect(await runReadmeProgram(readme, sources)).toEqual([[64, 1, true]]);
  });

  it("lists every field of --backend", () => {
    const options = readme.slice(readme.indexOf("## Options"), readme.indexOf("## Errors"));
    for (const field of Object.keys(awsKmsCredentialSchema.shape)) expect(options).toContain(`\`${field}\``);
  });

  it("lists every code a call can fail with", () => {
    const errors = readme.slice(readme.indexOf("## Errors"), readme.indexOf("## Limits"));
    // PUBLIC_KEY_MALFORMED is of the encodings; what KMS answers is checked and becomes PROTOCOL.
    const codes = BACKEND_ERROR_CODES.filter((code) => code !== "PUBLIC_KEY_MALFORMED");
    for (const code of codes) expect(errors).toContain(`\`${code}\``);
  });
});

describe("docs/backend-aws-kms.md", () => {
  it.for(["runtime", "provisioner", "rotator"] as const)(
    "holds the permissions of the %s as the code has them",
    (identity) => {
      const [, table] =
        operators.match(new RegExp(`<!-- permissions:${identity} -->\\n([\\s\\S]*?)<!-- end -->`)) ?? [];
      expect(table?.trim()).toBe(permissionTable(awsKmsPermissions[identity]));
    },
  );

  it("holds the policies and the catalog of the product page, which IAM tests enforce", () => {
    const documents = blocks(operators, "json").map((block) => JSON.parse(block) as unknown);
    const files = ["iam-runtime", "iam-provisioner", "ec2-trust", "irsa-trust", "catalog", "condition-request-alias"];
    for (const file of files) expect(documents).toContainEqual(seedDocument<unknown>(`${file}.json`));
  });

  it("holds every command of the product page", () => {
    const known = read("../../../vectors/seed/commands.txt")
      .split("\n\n")
      .map((block) => block.trim())
      // The feature that is built in there is a package to install here.
      .filter((block) => !block.startsWith("cargo "));
    const here = blocks(operators, "sh").flatMap((block) => block.split("\n\n").map((part) => part.trim()));
    expect(here).toEqual(expect.arrayContaining(known));
  });
});
