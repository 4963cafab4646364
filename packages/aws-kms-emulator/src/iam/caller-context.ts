import type { Caller } from "./caller.js";

export interface RequestFacts {
  readonly now: number;
  readonly region: string;
  readonly sourceIp: string;
  readonly userAgent: string | undefined;
  /** The header `Referer`. */
  readonly referer: string | undefined;
  /** Account that owns the resource of the request. */
  readonly resourceAccount: string;
}

/** The `aws:` condition keys of a request whoever makes it (IAM User Guide, "AWS global condition context keys"). */
export function requestContext(facts: RequestFacts): Map<string, readonly string[]> {
  const context = new Map<string, readonly string[]>([
    ["aws:principalisawsservice", ["false"]],
    ["aws:resourceaccount", [facts.resourceAccount]],
    ["aws:sourceip", [facts.sourceIp]],
    // The service that is played is reached over TLS only; policies that insist on it must not deny here.
    ["aws:securetransport", ["true"]],
    ["aws:currenttime", [new Date(facts.now).toISOString()]],
    ["aws:epochtime", [String(Math.floor(facts.now / 1000))]],
    ["aws:requestedregion", [facts.region]],
    ["aws:viaawsservice", ["false"]],
  ]);
  if (facts.userAgent !== undefined) context.set("aws:useragent", [facts.userAgent]);
  if (facts.referer !== undefined) context.set("aws:referer", [facts.referer]);
  return context;
}

/** {@link requestContext} and the `aws:` condition keys of the caller. */
export function callerContext(caller: Caller, facts: RequestFacts): Map<string, readonly string[]> {
  const context = requestContext(facts)
    .set("aws:principalarn", [caller.principalArn])
    .set("aws:principalaccount", [caller.account])
    .set("aws:principaltype", [caller.type])
    .set("aws:userid", [caller.userId]);
  if (caller.userName !== undefined) context.set("aws:username", [caller.userName]);
  if (caller.tokenIssuedAt !== undefined) {
    context.set("aws:tokenissuetime", [new Date(caller.tokenIssuedAt).toISOString()]);
    context.set("aws:multifactorauthpresent", ["false"]);
  }
  if (caller.federatedProvider !== undefined) context.set("aws:federatedprovider", [caller.federatedProvider]);
  for (const [key, value] of caller.tags) context.set(`aws:principaltag/${key.toLowerCase()}`, [value]);
  return context;
}
