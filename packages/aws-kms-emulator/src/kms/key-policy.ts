import { isEmulatorError } from "../errors.js";
import { decide } from "../iam/authorize.js";
import { type PolicyDocument, parsePolicyDocument } from "../iam/policy-document.js";
import { invalidPrincipal } from "../iam/principal.js";
import { iamArn, type Place } from "../place.js";
import { Refusal } from "../refusal.js";
import type { KmsCall } from "./call.js";

/** What CreateKey gives a key without a policy of its own: the account's identity policies decide. */
export function defaultKeyPolicy(place: Place): PolicyDocument {
  const document = {
    Version: "2012-10-17",
    Id: "key-default-1",
    Statement: [
      {
        Sid: "Enable IAM User Permissions",
        Effect: "Allow",
        Principal: { AWS: iamArn(place, "root") },
        Action: "kms:*",
        Resource: "*",
      },
    ],
  };
  return parsePolicyDocument(JSON.stringify(document, undefined, 2), "key");
}

const maximumBytes = 32_768;

/** Reads a key policy from a request and checks that the caller will still be able to change it. */
export function keyPolicyFromRequest(call: KmsCall, text: string, keyArn: string, bypass: boolean): PolicyDocument {
  if (Buffer.byteLength(text) > maximumBytes) {
    throw new Refusal("LimitExceededException", `The key policy exceeds the limit of ${maximumBytes} bytes.`);
  }
  let policy: PolicyDocument;
  try {
    policy = parsePolicyDocument(text, "key");
  } catch (error) {
    if (!isEmulatorError(error)) throw error;
    throw new Refusal("MalformedPolicyDocumentException", error.message);
  }
  if (invalidPrincipal(policy, call.place, call.directory) !== undefined) {
    throw new Refusal(
      "MalformedPolicyDocumentException",
      "Policy contains a statement with one or more invalid principals.",
    );
  }
  if (!bypass) {
    const request = call.request("PutKeyPolicy", keyArn);
    const { allowed } = decide(
      call.caller,
      request,
      { policy: { kind: "key", document: policy }, account: call.place.account },
      call.place,
    );
    if (!allowed) {
      throw new Refusal(
        "MalformedPolicyDocumentException",
        "The new key policy will not allow you to update the key policy in the future.",
      );
    }
  }
  return policy;
}
