import { quote } from "../shell-quote.js";
import type { InitAnswers } from "./answers.js";
import { BACKEND, type InitPaths } from "./init-documents.js";

export interface NextStepsInput {
  readonly answers: InitAnswers;
  readonly paths: InitPaths;
  readonly bundleMade: boolean;
}

/** What is left to do, each a line to type or a remark that begins with `#`. */
export function nextSteps({ answers, paths, bundleMade }: NextStepsInput): string[] {
  const { config, bundle, passphraseFile, socket } = paths;
  const seal = [
    `# Put a passphrase into ${passphraseFile} (mode 0600), and seal where the keys are:`,
    `basil bundle create ${quote(bundle)} --slot ${quote(`passphrase:file=${passphraseFile}`)} --backend ${quote(backendSpec(answers))}`,
  ];
  return [
    ...(bundleMade ? [] : seal),
    "# Nothing should be blocking:",
    `basil doctor -c ${quote(config)}`,
    ...firstStart(answers),
    `basil agent -c ${quote(config)}`,
    "# In another shell:",
    `basil --socket ${quote(socket)} ${firstCall(answers)}`,
  ];
}

function backendSpec({ region, endpoint, profile }: InitAnswers): string {
  const fields = { id: BACKEND, type: "aws-kms", region, endpoint, profile };
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
}

function firstStart({ keys }: InitAnswers): string[] {
  if (keys.length === 0) return ["# Put keys into the catalog and rules into the policy; until then it serves none:"];
  const what = keys.length === 1 ? "the key" : "the keys";
  return [
    `# The first start creates ${what}: run it once on an identity that may (kms:CreateKey, kms:CreateAlias, kms:GetPublicKey, kms:DescribeKey),`,
    `# then set "missing" to "error" in the catalog and run it on one that may only use ${what}:`,
  ];
}

function firstCall({ keys }: InitAnswers): string {
  const signing = keys.find(({ keyType }) => keyType !== "aes-256-gcm");
  if (signing !== undefined) return `sign --key-id ${signing.name} 'hello'`;
  const [first] = keys;
  return first === undefined ? "ready" : `encrypt --key-id ${first.name} 'hello'`;
}
