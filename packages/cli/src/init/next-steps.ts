import { quote } from "../shell-quote.js";
import { BACKEND, EXAMPLE_KEY } from "./init-documents.js";

export interface NextStepsInput {
  readonly config: string;
  readonly bundle: string;
  readonly passphraseFile: string;
  readonly socket: string;
  readonly region: string;
  readonly profile?: string;
  readonly bundleMade: boolean;
}

/** What is left to do, each a line to type or a remark that begins with `#`. */
export function nextSteps(input: NextStepsInput): string[] {
  const { config, bundle, passphraseFile, socket, region, profile, bundleMade } = input;
  const backend = `id=${BACKEND},type=aws-kms,region=${region}${profile === undefined ? "" : `,profile=${profile}`}`;
  const seal = [
    `# Put a passphrase into ${passphraseFile} (mode 0600), and seal where the keys are:`,
    `basil bundle create ${quote(bundle)} --slot ${quote(`passphrase:file=${passphraseFile}`)} --backend ${backend}`,
  ];
  return [
    ...(bundleMade ? [] : seal),
    "# Nothing should be blocking:",
    `basil doctor -c ${quote(config)}`,
    "# The first start creates the key: run it once on an identity that may (kms:CreateKey, kms:CreateAlias, kms:GetPublicKey, kms:DescribeKey),",
    '# then set "missing" to "error" in the catalog and run it on one that may only use the key:',
    `basil agent -c ${quote(config)}`,
    "# In another shell:",
    `basil --socket ${quote(socket)} sign --key-id ${EXAMPLE_KEY} 'hello'`,
  ];
}
