import { describe, expect, it } from "vitest";
import { credentialProvider } from "./credential-provider.js";

const marked = ($source?: object) => ({ accessKeyId: "a", secretAccessKey: "b", ...($source && { $source }) });

describe("credentialProvider", () => {
  it.for([
    [{ CREDENTIALS_ENV_VARS: "g" }, "environment variables"],
    [{ CREDENTIALS_IMDS: "0" }, "EC2 instance metadata"],
    [
      { CREDENTIALS_PROFILE_SOURCE_PROFILE: "o", CREDENTIALS_PROFILE: "n", CREDENTIALS_STS_ASSUME_ROLE: "i" },
      "source profile, shared config and credentials files, assumed role",
    ],
    [{ CREDENTIALS_OF_NEXT_YEAR: "?" }, "credentials of next year"],
    [{ CREDENTIALS_CODE: "e", RESOLVED_ACCOUNT_ID: "T" }, undefined],
    [undefined, undefined],
  ] as const)("puts the SDK's marks %j into words", ([marks, words]) => {
    expect(credentialProvider(marked(marks))).toBe(words);
  });
});
