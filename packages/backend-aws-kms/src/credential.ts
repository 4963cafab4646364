import { z } from "zod";

const flag = z.enum(["true", "false"]);
/** Tag keys of 1 to 128 and values of up to 256 characters, without the separators; aws: is reserved. */
const TAGS = /^(?!aws:)[\w +\-=./@]{1,128}:[\w +\-=./@]{0,256}(;(?!aws:)[\w +\-=./@]{1,128}:[\w +\-=./@]{0,256})*$/i;
const milliseconds = (max: number) =>
  z
    .string()
    .regex(/^[1-9][0-9]{0,5}$/, "is a whole number of milliseconds")
    .refine((text) => Number(text) <= max, `is at most ${max}`);

/**
 * The fields of `--backend id=…,type=aws-kms,…` as they are typed and sealed: text all of them, none of them secret.
 * The AWS credentials themselves stay with AWS's own chain.
 */
export const awsKmsCredentialSchema = z
  .strictObject({
    region: z
      .string()
      .regex(/^[a-z]{2,4}(-[a-z]+){1,3}-[0-9]{1,2}$/, {
        error: ({ input }) => `${JSON.stringify(input)} is not an AWS region such as us-east-1 or us-gov-west-1`,
      })
      .describe("AWS region that holds the keys."),
    profile: z.string().min(1).optional().describe("Profile of the shared config and credentials files."),
    endpoint: z
      .url({ protocol: /^https?$/, error: "is an http or https URL" })
      .optional()
      .describe("URL in place of the region's endpoint."),
    "role-arn": z
      .string()
      .regex(/^arn:[a-z-]+:iam::[0-9]{12}:role\/.+$/, "is the ARN of an IAM role")
      .optional()
      .describe("Role to assume."),
    "external-id": z
      .string()
      .regex(/^[\w+=,.@:/-]{2,1224}$/, "is 2 to 1,224 characters of A-Z a-z 0-9 _ + = , . @ : / -")
      .optional()
      .describe("sts:ExternalId for role-arn."),
    "session-name": z
      .string()
      .regex(/^[\w+=,.@-]{2,64}$/, "is 2 to 64 characters of A-Z a-z 0-9 _ + = , . @ -")
      .optional()
      .describe("Session name for role-arn."),
    fips: flag.optional().describe("Use the FIPS endpoint."),
    "dual-stack": flag.optional().describe("Use the IPv4 and IPv6 endpoint."),
    "max-attempts": z
      .string()
      .regex(/^([1-9]|10)$/, "is 1 to 10")
      .optional()
      .describe("Requests for one operation."),
    "attempt-timeout-ms": milliseconds(20_000).optional().describe("Limit of one request."),
    "connect-timeout-ms": milliseconds(10_000).optional().describe("Limit of one connection."),
    wire: z
      .enum(["lean", "sdk"])
      .optional()
      .describe("Who sends the calls that use a key: this package or the AWS SDK."),
    verify: z.enum(["kms", "local"]).optional().describe("Where signatures are verified."),
    "grace-versions": z
      .string()
      .regex(/^(0|[1-9][0-9]?)$/, "is 0 to 99")
      .optional()
      .describe("Older versions that verify."),
    rotation: flag.optional().describe("Offer rotation, for a rotator identity."),
    journal: z
      .string()
      .regex(/^\//, "is an absolute path")
      .optional()
      .describe("File that remembers keys without alias."),
    tags: z.string().regex(TAGS, "is KEY:VALUE pairs joined by ;").optional().describe("Tags of created keys."),
    "operation-timeout-ms": milliseconds(28_000).optional().describe("Limit of one operation, retries included."),
  })
  .superRefine((credential, check) => {
    const issue = (field: string, message: string) =>
      check.addIssue({ code: "custom", path: [field], message, input: credential });
    for (const field of ["external-id", "session-name"] as const) {
      if (credential[field] !== undefined && credential["role-arn"] === undefined) issue(field, "needs role-arn");
    }
    for (const field of ["fips", "dual-stack"] as const) {
      if (credential[field] === "true" && credential.endpoint !== undefined) {
        issue(field, "chooses among the region's own endpoints and cannot be combined with endpoint");
      }
    }
  });

export type AwsKmsCredential = z.output<typeof awsKmsCredentialSchema>;
