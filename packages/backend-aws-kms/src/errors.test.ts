import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { BackendError, type BackendErrorCode } from "@basil/core";
import { describe, expect, it } from "vitest";
import { kmsFailure } from "../test/fake-kms.js";
import type { KmsAction } from "./client.js";
import { incompleteAnswer, kmsError } from "./errors.js";

const ARN = "arn:aws:kms:us-east-1:111122223333:key/1111abcd-12ab-34cd-56ef-1234567890ab";
const key = { name: "jwt.signing.primary", path: "alias/basil/jwt", keyType: "ecdsa-p256" } as const;
const subject = (action: KmsAction) => ({ action, key, keyId: key.path });

const ACTIONS = [
  "Sign",
  "Verify",
  "GetPublicKey",
  "DescribeKey",
  "Encrypt",
  "Decrypt",
  "CreateKey",
  "CreateAlias",
  "UpdateAlias",
  "ListKeys",
] as const satisfies readonly KmsAction[];

/** What an operator is told of each exception; an exception the SDK adds has no entry and fails here until somebody decides. */
const MODELLED: Readonly<Record<string, BackendErrorCode>> = {
  AlreadyExistsException: "KEY_EXISTS",
  CloudHsmClusterInvalidConfigurationException: "REJECTED",
  CustomKeyStoreInvalidStateException: "REJECTED",
  CustomKeyStoreNotFoundException: "REJECTED",
  DependencyTimeoutException: "UNAVAILABLE",
  DisabledException: "KEY_UNUSABLE",
  DryRunOperationException: "REJECTED",
  IncorrectKeyException: "DECRYPT_FAILED",
  InvalidAliasNameException: "REJECTED",
  InvalidArnException: "REJECTED",
  InvalidCiphertextException: "DECRYPT_FAILED",
  InvalidGrantTokenException: "REJECTED",
  InvalidKeyUsageException: "KEY_UNUSABLE",
  InvalidMarkerException: "REJECTED",
  KeyUnavailableException: "UNAVAILABLE",
  KMSInternalException: "UNAVAILABLE",
  // Verify turns this one into `valid: false`.
  KMSInvalidSignatureException: "REJECTED",
  KMSInvalidStateException: "KEY_UNUSABLE",
  KMSServiceException: "REJECTED",
  LimitExceededException: "REJECTED",
  MalformedPolicyDocumentException: "REJECTED",
  NotFoundException: "KEY_NOT_FOUND",
  TagException: "REJECTED",
  XksKeyAlreadyInUseException: "REJECTED",
  XksKeyInvalidConfigurationException: "REJECTED",
  XksKeyNotFoundException: "REJECTED",
};
const BY_ACTION: Readonly<Record<string, BackendErrorCode>> = {
  "GetPublicKey UnsupportedOperationException": "KEY_UNUSABLE",
  "CreateKey UnsupportedOperationException": "UNSUPPORTED_ALGORITHM",
};

const UNMODELLED: Readonly<Record<string, BackendErrorCode>> = {
  AccessDeniedException: "ACCESS_DENIED",
  ThrottlingException: "UNAVAILABLE",
  ValidationException: "REJECTED",
  UnrecognizedClientException: "UNAVAILABLE",
  ExpiredTokenException: "UNAVAILABLE",
  InvalidSignatureException: "UNAVAILABLE",
  IncompleteSignatureException: "REJECTED",
  MissingAuthenticationTokenException: "UNAVAILABLE",
  UnknownOperationException: "REJECTED",
  SerializationException: "REJECTED",
  NotAuthorizedException: "REJECTED",
  RequestExpired: "UNAVAILABLE",
};

const declarations = join(
  dirname(createRequire(import.meta.url).resolve("@aws-sdk/client-kms")),
  "..",
  "dist-types",
  "commands",
);
const pairs = ACTIONS.flatMap((action) => {
  const text = readFileSync(join(declarations, `${action}Command.d.ts`), "utf8");
  return [...text.matchAll(/@throws \{@link (\w+)\}/g)].map(([, exception = ""]) => [action, exception] as const);
});

describe("kmsError", () => {
  it("knows every pair of operation and exception that the SDK declares", () => {
    expect(pairs.length).toBeGreaterThan(80);
  });

  it.for(pairs)("maps %s × %s", ([action, exception]) => {
    const error = kmsError(subject(action), kmsFailure(exception, "why", { requestId: "r-1" }));
    expect(error).toBeInstanceOf(BackendError);
    expect(error.code).toBe(BY_ACTION[`${action} ${exception}`] ?? MODELLED[exception]);
    expect(error.backendRequestId).toBe("r-1");
    expect(error.message).toContain(`kms:${action}`);
    expect(error.message).toContain(key.name);
  });

  it.for(ACTIONS.flatMap((action) => Object.keys(UNMODELLED).map((code) => [action, code] as const)))(
    "maps %s × %s, which the model does not have",
    ([action, code]) => {
      const error = kmsError(subject(action), kmsFailure(code, "why"));
      expect(error.code).toBe(UNMODELLED[code]);
      if (error.code === "REJECTED") expect(error.details).toEqual({ backendCode: code });
    },
  );

  it.for(["ThrottlingException", "KMSInternalException", "ExpiredTokenException"])(
    "gives a retry hint for %s",
    (name) => {
      expect(kmsError(subject("Sign"), kmsFailure(name)).details).toMatchObject({ retryAfterMs: expect.any(Number) });
    },
  );

  it("names the action, the ARN and the text of AWS when access is denied, for the operator", () => {
    const text = `User: arn:aws:iam::111122223333:user/basil is not authorized to perform: kms:Sign on resource: ${ARN} because no identity-based policy allows the kms:Sign action`;
    const failure = kmsFailure("AccessDeniedException", text);
    const error = kmsError(subject("Sign"), failure);
    expect(error).toMatchObject({
      code: "ACCESS_DENIED",
      details: { action: "kms:Sign", resource: ARN },
      cause: failure,
    });
    expect(error.message).toContain(text);
  });

  it("takes the action from the text of AWS: CreateKey with tags may lack kms:TagResource", () => {
    const text =
      "User: u is not authorized to perform: kms:TagResource because no identity-based policy allows the kms:TagResource action";
    expect(kmsError({ action: "CreateKey", key }, kmsFailure("AccessDeniedException", text))).toMatchObject({
      details: { action: "kms:TagResource" },
    });
  });

  it("names the action asked for when AWS gives no text", () => {
    expect(kmsError(subject("Decrypt"), kmsFailure("AccessDeniedException", "UnknownError"))).toMatchObject({
      details: { action: "kms:Decrypt", resource: key.path },
    });
  });

  it("makes one answer of wrong key, wrong context and tampered ciphertext", () => {
    const messages = ["IncorrectKeyException", "InvalidCiphertextException"].map(
      (name) => kmsError(subject("Decrypt"), kmsFailure(name, `about ${name}`)).message,
    );
    expect(new Set(messages).size).toBe(1);
  });

  it.for([500, 502, 503, 504])("takes HTTP %i of any name as an outage", (httpStatusCode) => {
    expect(kmsError(subject("Sign"), kmsFailure("Whatever", "", { httpStatusCode })).code).toBe("UNAVAILABLE");
  });

  it("takes HTTP 429 as throttling", () => {
    expect(kmsError(subject("Sign"), kmsFailure("Whatever", "", { httpStatusCode: 429 })).code).toBe("UNAVAILABLE");
  });

  it("names the code of what several addresses failed with", () => {
    const refused = Object.assign(new AggregateError([new Error("::1"), new Error("127.0.0.1")]), {
      code: "ECONNREFUSED",
    });
    const error = kmsError(subject("Sign"), refused);
    expect(error).toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining("ECONNREFUSED") });
  });

  it.for(["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EAI_AGAIN", "CERT_HAS_EXPIRED"])(
    "takes %s as unreachable",
    (code) => {
      const error = kmsError(subject("Sign"), Object.assign(new Error("no"), { code }));
      expect(error.code).toBe("UNAVAILABLE");
      expect(error.message).toContain(code);
    },
  );

  it("takes an answer that is not JSON as a protocol error", () => {
    expect(kmsError(subject("Sign"), new SyntaxError("Unexpected token")).code).toBe("PROTOCOL");
  });

  it("leaves an error that is one of the contract as it is", () => {
    const error = incompleteAnswer(subject("Sign"), "Signature", "r-2");
    expect(kmsError(subject("Sign"), error)).toBe(error);
    expect(error).toMatchObject({ code: "PROTOCOL", backendRequestId: "r-2" });
  });

  it.for([undefined, null, "text", 7])("makes a coded error of %s too", (thrown) => {
    expect(kmsError(subject("Sign"), thrown).code).toBe("REJECTED");
  });

  it("is not misled by names of Object's own members", () => {
    expect(kmsError(subject("Decrypt"), kmsFailure("constructor"))).toMatchObject({ code: "REJECTED" });
  });
});
