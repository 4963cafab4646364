import { isEmulatorError } from "../errors.js";
import { iamArn, type Place } from "../place.js";
import { type QueryParameters, queryInput } from "../query/query-protocol.js";
import type { XmlValue } from "../query/xml.js";
import type { RandomSource } from "../random.js";
import { Refusal } from "../refusal.js";
import type { Input, InputShape } from "../shape.js";
import { accessDenied, decide } from "./authorize.js";
import type { Caller } from "./caller.js";
import { callerContext, type RequestFacts, requestContext } from "./caller-context.js";
import { newSession } from "./credentials.js";
import type { Directory, RoleRecord, SessionRecord } from "./directory.js";
import { evaluateResourcePolicy } from "./evaluate.js";
import { type OidcProvider, verifyWebIdentityToken, type WebIdentity } from "./oidc.js";
import { type PolicyDocument, parsePolicyDocument } from "./policy-document.js";

const roleArn = { type: "string", min: 20, max: 2048, required: true } as const;
const sessionName = { type: "string", min: 2, max: 64, pattern: "^[\\w+=,.@-]*$", required: true } as const;
const seconds = { type: "integer", min: 900, max: 43_200 } as const;
const policy = { type: "string", min: 1, max: 2048 } as const;

const shapes = {
  GetCallerIdentity: {},
  AssumeRole: {
    RoleArn: roleArn,
    RoleSessionName: sessionName,
    DurationSeconds: seconds,
    Policy: policy,
    ExternalId: { type: "string", min: 2, max: 1224, pattern: "^[\\w+=,.@:/-]*$" },
  },
  AssumeRoleWithWebIdentity: {
    RoleArn: roleArn,
    RoleSessionName: sessionName,
    WebIdentityToken: { type: "string", min: 4, max: 20_000, required: true },
    DurationSeconds: seconds,
    Policy: policy,
  },
} as const satisfies Record<string, InputShape>;

export type StsAction = keyof typeof shapes;

export interface StsCall {
  readonly directory: Directory;
  readonly place: Place;
  readonly random: RandomSource;
  readonly now: number;
  readonly providers: readonly OidcProvider[];
  /** Checks the signature; AssumeRoleWithWebIdentity comes without one. */
  readonly authenticate: () => Caller;
  /** Of this request on a resource of an account. */
  readonly facts: (resourceAccount: string) => RequestFacts;
  /** Called with each condition key that a statement tests and this engine does not know. */
  readonly unknownKey: (name: string) => void;
  readonly decided: (action: string, resource: string, reason: string | undefined) => void;
  readonly identified: (principal: string) => void;
}

function roleOf(call: StsCall, arn: string): RoleRecord | undefined {
  return [...call.directory.roles.values()].find((role) => role.arn === arn);
}

function sessionPolicy(text: string | undefined): PolicyDocument | undefined {
  try {
    return text === undefined ? undefined : parsePolicyDocument(text, "identity");
  } catch (error) {
    if (isEmulatorError(error)) throw new Refusal("MalformedPolicyDocument", error.message);
    throw error;
  }
}

interface SessionInput {
  readonly RoleSessionName: string;
  readonly DurationSeconds: number | undefined;
  readonly Policy: string | undefined;
}

function startSession(call: StsCall, role: RoleRecord, input: SessionInput, federatedProvider?: string): XmlValue {
  const seconds = input.DurationSeconds ?? 3600;
  if (seconds > role.maxSessionSeconds) {
    throw new Refusal(
      "ValidationError",
      "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    );
  }
  const session: SessionRecord = newSession(call.random, call.now, {
    roleName: role.name,
    sessionName: input.RoleSessionName,
    seconds,
    sessionPolicy: sessionPolicy(input.Policy),
    federatedProvider,
  });
  call.directory.accessKeys.set(session.accessKeyId, session);
  return {
    AssumedRoleUser: {
      AssumedRoleId: `${role.id}:${session.sessionName}`,
      Arn: `arn:${call.place.partition}:sts::${role.account}:assumed-role/${role.name}/${session.sessionName}`,
    },
    Credentials: {
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      SessionToken: session.sessionToken,
      Expiration: new Date(session.expiresAt).toISOString().replace(/\.\d{3}Z$/, "Z"),
    },
  };
}

/** Whether the trust policy of a role lets a web identity start this session of it. */
function trusts(call: StsCall, role: RoleRecord, sessionName: string, identity: WebIdentity, providerArn: string) {
  const { provider, subject, audience } = identity;
  const context = requestContext(call.facts(role.account))
    .set(`${provider.url}:sub`.toLowerCase(), [subject])
    .set(`${provider.url}:aud`.toLowerCase(), [audience])
    .set("aws:federatedprovider", [providerArn])
    .set("sts:rolesessionname", [sessionName]);
  const { unknownKey } = call;
  const request = { action: "sts:AssumeRoleWithWebIdentity", resource: role.arn, context: () => context, unknownKey };
  const { effect } = evaluateResourcePolicy(role.trust, "trust", request, ({ principal }) =>
    principal === "*" || principal?.get("Federated")?.includes(providerArn) ? "direct" : undefined,
  );
  return effect === "Allow";
}

type Actions = { readonly [A in StsAction]: (input: Input<(typeof shapes)[A]>, call: StsCall) => XmlValue };

const actions: Actions = {
  GetCallerIdentity(_, call) {
    const caller = call.authenticate();
    return { Arn: caller.arn, UserId: caller.userId, Account: caller.account };
  },
  AssumeRole(input, call) {
    const caller = call.authenticate();
    const action = "sts:AssumeRole";
    const role = roleOf(call, input.RoleArn);
    // A role that is not there is denied in the words for one that does not trust the caller.
    if (role === undefined) {
      call.decided(action, input.RoleArn, "no such role");
      throw accessDenied(caller, action, input.RoleArn, "no identity-based policy allows");
    }
    const { unknownKey } = call;
    const context = () => {
      const keys = callerContext(caller, call.facts(role.account)).set("sts:rolesessionname", [input.RoleSessionName]);
      return input.ExternalId === undefined ? keys : keys.set("sts:externalid", [input.ExternalId]);
    };
    const request = { action, resource: role.arn, context, unknownKey };
    const protectedRole = { policy: { kind: "trust", document: role.trust }, account: role.account } as const;
    const decision = decide(caller, request, protectedRole, call.place);
    call.decided(action, role.arn, decision.allowed ? undefined : decision.reason);
    if (!decision.allowed) throw accessDenied(caller, action, role.arn, decision.reason);
    return startSession(call, role, input);
  },
  AssumeRoleWithWebIdentity(input, call) {
    const action = "sts:AssumeRoleWithWebIdentity";
    const identity = verifyWebIdentityToken(input.WebIdentityToken, call.providers, call.now);
    call.identified(identity.subject);
    const role = roleOf(call, input.RoleArn);
    const providerArn = iamArn(call.place, `oidc-provider/${identity.provider.url}`);
    if (role === undefined || !trusts(call, role, input.RoleSessionName, identity, providerArn)) {
      call.decided(action, input.RoleArn, "the trust policy does not allow this token");
      throw new Refusal("AccessDenied", `Not authorized to perform ${action}`, 403);
    }
    call.decided(action, role.arn, undefined);
    const started = startSession(call, role, input, providerArn);
    return {
      ...(started as Readonly<Record<string, XmlValue>>),
      SubjectFromWebIdentityToken: identity.subject,
      Audience: identity.audience,
      Provider: providerArn,
    };
  },
};

export function isStsAction(action: string): action is StsAction {
  return Object.hasOwn(actions, action);
}

export function runStsAction<A extends StsAction>(action: A, parameters: QueryParameters, call: StsCall): XmlValue {
  return actions[action](queryInput<(typeof shapes)[A]>(parameters, shapes[action]), call);
}
