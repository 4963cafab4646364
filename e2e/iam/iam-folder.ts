import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { type Answer, type TypeOptions, typed } from "../cli/typed.js";
import { policyOfMe } from "../policy-of-me.js";
import { seed } from "../stack.js";

/** The page's catalog, with the ARNs of its runtime policy. */
export const ARNS = [
  "--arn jwt.signing.primary=arn:aws:kms:us-east-1:111122223333:key/1111abcd-12ab-34cd-56ef-1234567890ab",
  "--arn payload.aead=arn:aws:kms:us-east-1:111122223333:key/2222abcd-12ab-34cd-56ef-1234567890ab",
].join(" ");
/** Somebody signs, somebody decrypts; nobody verifies, encrypts or reads a public key. */
export const POLICY = policyOfMe(
  { id: "signs", subjects: ["me"], action: ["op:sign", "op:encrypt"], target: ["jwt.**"] },
  { id: "opens", subjects: ["me"], action: ["op:decrypt"], target: ["payload.aead"] },
);

export interface Document {
  readonly Statement: readonly Record<string, unknown>[];
}

export const credentials = ({ accessKeyId, secretAccessKey }: { accessKeyId: string; secretAccessKey: string }) => ({
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_EC2_METADATA_DISABLED: "true",
});

/** A folder with the page's catalog, a policy, and files that are no such thing; and a person who types there. */
export class IamFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async open(): Promise<IamFolder> {
    const folder = new IamFolder(await mkdtemp(join(tmpdir(), "basil-iam-")));
    await folder.write("catalog.json", await seed.text("catalog.json"));
    await folder.write("policy.json", POLICY);
    await folder.write("bad.json", '{"Version": ');
    await folder.write("trust.json", await seed.text("ec2-trust.json"));
    return folder;
  }

  write(name: string, content: unknown): Promise<void> {
    return writeFile(join(this.path, name), typeof content === "string" ? content : JSON.stringify(content));
  }

  type(line: string, env: Record<string, string> = {}, more: TypeOptions = {}): Promise<Answer> {
    return typed(line, { cwd: this.path, env, ...more });
  }

  /** What a line prints that ends well and says nothing else. */
  async printed(line: string, env: Record<string, string> = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await this.type(line, env);
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true });
  }
}
