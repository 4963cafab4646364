import type { Caller } from "./caller.js";

export interface RequestFacts {
  readonly now: number;
  readonly region: string;
  readonly sourceIp: string;
  readonly userAgent: string | undefined;
}

/** The `aws:` condition keys that every request has (IAM User Guide, "AWS global condition context keys"). */
export function callerContext(caller: Caller, facts: RequestFacts): Map<string, readonly string[]> {
  const context = new Map<string, readonly string[]>([
    ["aws:principalarn", [caller.principalArn]],
    ["aws:principalaccount", [caller.account]],
    ["aws:principaltype", [caller.type]],
    ["aws:userid", [caller.userId]],
    ["aws:sourceip", [facts.sourceIp]],
    // The service that is played is reached over TLS only; policies that insist on it must not deny here.
    ["aws:securetransport", ["true"]],
    ["aws:currenttime", [new Date(facts.now).toISOString()]],
    ["aws:epochtime", [String(Math.floor(facts.now / 1000))]],
    ["aws:requestedregion", [facts.region]],
    ["aws:viaawsservice", ["false"]],
  ]);
  if (caller.userName !== undefined) context.set("aws:username", [caller.userName]);
  if (facts.userAgent !== undefined) context.set("aws:useragent", [facts.userAgent]);
  if (caller.tokenIssuedAt !== undefined) {
    context.set("aws:tokenissuetime", [new Date(caller.tokenIssuedAt).toISOString()]);
    context.set("aws:multifactorauthpresent", ["false"]);
  }
  for (const [key, value] of caller.tags) context.set(`aws:principaltag/${key.toLowerCase()}`, [value]);
  return context;
}
