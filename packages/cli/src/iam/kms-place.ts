import { CliError } from "../cli-error.js";

/** Where the keys of a document are: what its ARNs begin with. */
export interface KmsPlace {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
}

const KEY_ARN =
  /^arn:(aws[a-z-]*):kms:([a-z0-9-]+):(\d{12}):key\/(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$/;

/** @throws {@link CliError} `USAGE` for what is not the ARN of a KMS key. */
export function placeOfKeyArn(arn: string, flag: string): KmsPlace {
  const [, partition, region, account] = KEY_ARN.exec(arn) ?? [];
  if (partition === undefined || region === undefined || account === undefined) {
    throw new CliError(
      "USAGE",
      `${flag}: ${JSON.stringify(arn)} is not the ARN of a KMS key`,
      { flag },
      {
        remedy: "give it as arn:aws:kms:REGION:ACCOUNT:key/ID",
      },
    );
  }
  return { partition, region, account };
}

export function kmsArn({ partition, region, account }: KmsPlace, resource: string): string {
  return `arn:${partition}:kms:${region}:${account}:${resource}`;
}

/** The partition a region is in (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html). */
export function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}
