import { describe, expect, it } from "vitest";
import { isAwsHost } from "./aws-host.js";

describe("isAwsHost", () => {
  it.for([
    "kms.us-east-1.amazonaws.com",
    "kms-fips.us-gov-west-1.amazonaws.com",
    "kms.cn-north-1.amazonaws.com.cn",
    "kms.eu-central-1.api.aws",
    "vpce-0295a3caf8414c94a-dfm9tr04.kms.us-east-1.vpce.amazonaws.com",
    "sts.us-iso-east-1.c2s.ic.gov",
  ])("knows %s as one of AWS's", (host) => {
    expect(isAwsHost(host)).toBe(true);
  });

  it.for(["127.0.0.1", "localhost", "kms.internal.example", "amazonaws.com.example", "notamazonaws.com", ""])(
    "takes %j for somebody else's",
    (host) => {
      expect(isAwsHost(host)).toBe(false);
    },
  );
});
