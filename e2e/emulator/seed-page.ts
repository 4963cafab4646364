import { readFileSync } from "node:fs";

function text(name: string): string {
  return readFileSync(new URL(`../../vectors/seed/${name}`, import.meta.url), "utf8");
}

/** The documents of the AWS KMS page under the file names that its commands use. */
export const pageFiles: Readonly<Record<string, string>> = {
  "basil-kms-runtime.json": text("iam-runtime.json"),
  "basil-kms-provisioner.json": text("iam-provisioner.json"),
  "ec2-trust.json": text("ec2-trust.json"),
  "irsa-trust.json": text("irsa-trust.json"),
};

/** The command lines of the page, one list a block, continued lines joined, comments left out. */
export const pageBlocks: readonly (readonly string[])[] = text("commands.txt")
  .replaceAll(/\\\n\s*/g, "")
  .split(/\n\s*\n/)
  .map((block) => block.split("\n").filter((line) => line !== "" && !line.startsWith("#")));

/** The one block with a command that contains `part`. */
export function blockWith(...parts: readonly string[]): readonly string[] {
  const found = pageBlocks.filter((block) => parts.every((part) => block.some((line) => line.includes(part))));
  const [block] = found;
  if (block === undefined || found.length > 1) throw new Error(`${found.length} blocks hold ${parts.join(" and ")}`);
  return block;
}

/** The two keys that the page's runtime policy names. */
export const [signingKey = "", dataKey = ""]: readonly string[] = JSON.parse(pageFiles["basil-kms-runtime.json"] ?? "")
  .Statement[0].Resource;
