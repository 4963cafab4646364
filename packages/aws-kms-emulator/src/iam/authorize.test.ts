import { expect, it } from "vitest";
import { decide } from "./authorize.js";
import type { Caller } from "./caller.js";
import { parsePolicyDocument } from "./policy-document.js";

const place = { partition: "aws", region: "us-east-1", account: "111122223333" };
const role = "arn:aws:iam::111122223333:role/worker";
const session = "arn:aws:sts::111122223333:assumed-role/worker/s1";
const statement = (Effect: string, Action: string) => ({ Statement: { Effect, Action, Resource: "*" } });

it.for([
  [session, "Allow", "kms:ListKeys", { allowed: true }],
  [session, "Deny", "kms:Sign", { allowed: false, reason: "an explicit deny in a session policy" }],
  [role, "Allow", "kms:ListKeys", { allowed: false, reason: "no session policy allows" }],
  [role, "Allow", "kms:Sign", { allowed: true }],
] as const)(
  "decide: a key policy that names %s, with a session policy that has %s %s: %j",
  ([AWS, effect, action, expected]) => {
    const caller: Caller = {
      type: "AssumedRole",
      arn: session,
      principalArn: role,
      account: place.account,
      userId: "AROA:s1",
      userName: undefined,
      tags: new Map(),
      accessKeyId: "ASIA",
      policies: () => [],
      sessionPolicy: parsePolicyDocument(statement(effect, action), "identity"),
      tokenIssuedAt: 0,
      federatedProvider: undefined,
    };
    const request = {
      action: "kms:Sign",
      resource: "arn:aws:kms:us-east-1:111122223333:key/k",
      context: () => new Map(),
    };
    const document = parsePolicyDocument(
      { Statement: { Effect: "Allow", Principal: { AWS }, Action: "kms:*", Resource: "*" } },
      "key",
    );
    const resource = { policy: { kind: "key", document }, account: place.account } as const;
    expect(decide(caller, request, resource, place)).toEqual(expected);
  },
);
