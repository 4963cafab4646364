import { Argument } from "commander";
import { CliError } from "../cli-error.js";
import { defineCommand, type GlobalOptions } from "../command.js";
import { nonEmpty } from "../option-values.js";
import { type IamDocument, iamDocument } from "./iam-document.js";

const PLATFORMS = ["ec2", "irsa", "pod-identity"] as const;

interface TrustOptions extends GlobalOptions {
  readonly oidcProvider?: string;
  readonly account?: string;
  readonly serviceAccount?: string;
}

export const trust = defineCommand<TrustOptions, IamDocument | object>({
  name: "trust",
  summary: "write who may assume the agent's role: an EC2 host, or a Kubernetes service account",
  examples: [
    "basil iam trust ec2",
    "basil iam trust irsa --account 111122223333 --oidc-provider oidc.eks.us-east-1.amazonaws.com/id/EXAMPLE --service-account basil/basil-agent",
    "basil iam trust pod-identity",
  ],
  declare(command) {
    command
      .addArgument(new Argument("<platform>", "where the agent runs").choices(PLATFORMS))
      .option("--account <id>", "irsa: the account, 12 digits", nonEmpty)
      .option("--oidc-provider <host/path>", "irsa: the cluster's OIDC provider, without https://", nonEmpty)
      .option("--service-account <namespace/name>", "irsa: the pod's service account", nonEmpty);
  },
  async run({ options, operands }) {
    switch (operands[0] as (typeof PLATFORMS)[number]) {
      case "ec2":
        return service("ec2.amazonaws.com", "sts:AssumeRole");
      case "pod-identity":
        // https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
        return service("pods.eks.amazonaws.com", ["sts:AssumeRole", "sts:TagSession"]);
      case "irsa":
        return irsa(options);
    }
  },
  render(document, { out }) {
    out(JSON.stringify(document, null, 2));
  },
  jsonStyle: "document",
});

function service(name: string, Action: string | readonly string[]): IamDocument {
  return iamDocument({ Effect: "Allow", Principal: { Service: name }, Action });
}

function irsa({ account, oidcProvider, serviceAccount }: TrustOptions): IamDocument {
  const issuer = required("--oidc-provider", oidcProvider, /^[a-z0-9.-]+(\/[\w./-]+)?$/i, "host/path without https://");
  const id = required("--account", account, /^\d{12}$/, "12 digits");
  const subject = required("--service-account", serviceAccount, /^[a-z0-9-]+\/[a-z0-9.-]+$/, "NAMESPACE/NAME");
  return iamDocument({
    Effect: "Allow",
    Principal: { Federated: `arn:aws:iam::${id}:oidc-provider/${issuer}` },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: {
      StringEquals: {
        [`${issuer}:sub`]: `system:serviceaccount:${subject.replace("/", ":")}`,
        [`${issuer}:aud`]: "sts.amazonaws.com",
      },
    },
  });
}

function required(flag: string, value: string | undefined, form: RegExp, allowed: string): string {
  if (value !== undefined && form.test(value)) return value;
  const found = value === undefined ? "is missing" : `is ${JSON.stringify(value)}`;
  throw new CliError("USAGE", `${flag} ${found}; allowed: ${allowed}`, { flag });
}
