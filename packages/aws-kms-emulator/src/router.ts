import type { CallNote } from "./call-record.js";
import type { Clock } from "./clock.js";
import type { CredentialSource } from "./credentials/source.js";
import type { WireRequest, WireResponse } from "./http/wire.js";
import { accessDenied, decide } from "./iam/authorize.js";
import { type Caller, callerOf } from "./iam/caller.js";
import { callerContext } from "./iam/caller-context.js";
import type { AccessKeyRecord, Directory } from "./iam/directory.js";
import { isIamAction, runIamAction } from "./iam/iam-service.js";
import type { OidcProvider } from "./iam/oidc.js";
import { isStsAction, runStsAction } from "./iam/sts-service.js";
import type { Propagation } from "./kms/call.js";
import type { KeySpec } from "./kms/key-spec.js";
import type { KeyStore } from "./kms/key-store.js";
import type { Quotas } from "./kms/quotas.js";
import { kmsErrorResponse, kmsOperation, kmsService } from "./kms/service.js";
import type { Place } from "./place.js";
import {
  type QueryParameters,
  queryErrorResponse,
  queryParameters,
  queryRefusal,
  queryResponse,
  queryService,
} from "./query/query-protocol.js";
import type { RandomSource } from "./random.js";
import { Refusal } from "./refusal.js";
import { Authenticator } from "./sigv4/authenticate.js";

/** One protocol: serves a request, or puts a refusal into its own words. */
export interface Service {
  serve(request: WireRequest, note: CallNote): WireResponse | Promise<WireResponse>;
  refuse(refusal: Refusal, note: CallNote): WireResponse;
}

export interface RouterParts {
  readonly place: Place;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly directory: Directory;
  readonly store: KeyStore;
  readonly propagation: Propagation;
  readonly quotas: Quotas;
  /** Key specs that CreateKey refuses. */
  readonly unoffered: ReadonlySet<KeySpec>;
  readonly providers: readonly OidcProvider[];
  readonly sources: readonly CredentialSource[];
  readonly changed: () => Promise<void> | undefined;
}

/** Finds the service a request is for, by its shape alone. */
export class Router {
  readonly #parts: RouterParts;
  readonly #authenticator = new Authenticator<AccessKeyRecord>();
  readonly #kms: Service;

  constructor(parts: RouterParts) {
    this.#parts = parts;
    this.#kms = {
      serve: (request, note) =>
        kmsService(request, note, {
          ...parts,
          now: () => parts.clock.now(),
          authenticate: (r) => this.#authenticate(r, note, "kms", [parts.place.region]),
        }),
      refuse: kmsErrorResponse,
    };
  }

  /** Names the service and operation in the note; undefined when nothing is served there. */
  route(request: WireRequest, note: CallNote): Service | undefined {
    const operation = kmsOperation(request);
    if (operation !== undefined || request.headers.get("content-type")?.startsWith("application/x-amz-json")) {
      note.service = "kms";
      note.operation = operation ?? request.headers.get("x-amz-target") ?? "";
      return this.#kms;
    }
    const parameters = queryParameters(request);
    if (parameters !== undefined) return this.#query(parameters, note);
    for (const source of this.#parts.sources) {
      const response = source(request, note);
      if (response !== undefined)
        return { serve: () => response, refuse: (refusal) => ({ ...response, status: refusal.status }) };
    }
    note.operation = `${request.method} ${request.path}`;
    return undefined;
  }

  #query(parameters: QueryParameters, note: CallNote): Service {
    const name = queryService(parameters) ?? "sts";
    const action = parameters.get("Action") ?? "";
    note.service = name;
    note.operation = action;
    return {
      serve: async (request) => {
        const now = this.#parts.clock.now();
        this.#parts.directory.dropExpiredSessions(now);
        const result = this.#run(name, action, parameters, request, note, now);
        await this.#parts.changed();
        return queryResponse(name, action, result, note);
      },
      refuse: (refusal) => {
        const named = queryRefusal(refusal);
        note.errorCode = named.code;
        return queryErrorResponse(name, named, note);
      },
    };
  }

  #run(
    name: "iam" | "sts",
    action: string,
    parameters: QueryParameters,
    request: WireRequest,
    note: CallNote,
    now: number,
  ) {
    const { directory, place, random, providers } = this.#parts;
    const decided = (what: string, resource: string, reason: string | undefined) => {
      note.checks.push({
        action: what,
        resource,
        decision: reason === undefined ? "allow" : "deny",
        ...(reason !== undefined && { reason }),
      });
    };
    const facts = (resourceAccount: string) => ({
      now,
      region: place.region,
      sourceIp: request.remoteAddress,
      userAgent: request.headers.get("user-agent"),
      referer: request.headers.get("referer"),
      resourceAccount,
    });
    const unknownKey = (key: string) => note.unknownConditionKeys.add(key);
    if (name === "sts" && isStsAction(action)) {
      return runStsAction(action, parameters, {
        directory,
        place,
        random,
        now,
        providers,
        // STS is reached at its global endpoint, too, which signs for us-east-1.
        authenticate: () => this.#authenticate(request, note, "sts", [place.region, "us-east-1"]),
        facts,
        unknownKey,
        decided,
        identified: (subject) => {
          note.principal = subject;
        },
      });
    }
    if (name === "iam" && isIamAction(action)) {
      const caller = this.#authenticate(request, note, "iam", ["us-east-1"]);
      return runIamAction(action, parameters, {
        directory,
        place,
        random,
        now,
        authorize: (what, resource) => {
          const unowned = { policy: undefined, account: place.account };
          const context = () => callerContext(caller, facts(place.account));
          const decision = decide(caller, { action: what, resource, context, unknownKey }, unowned, place);
          decided(what, resource, decision.allowed ? undefined : decision.reason);
          if (!decision.allowed) throw accessDenied(caller, what, resource, decision.reason);
        },
      });
    }
    throw new Refusal(
      "InvalidAction",
      `Could not find operation ${action || "(none)"} for version ${parameters.get("Version") ?? "NO_VERSION_SPECIFIED"}`,
    );
  }

  #authenticate(request: WireRequest, note: CallNote, service: string, regions: readonly string[]): Caller {
    const { directory, place, clock } = this.#parts;
    const { credential } = this.#authenticator.authenticate(request, {
      credential: (id) => directory.accessKeys.get(id),
      service,
      regions,
      now: clock.now(),
    });
    const caller = callerOf(credential, directory, place);
    if (caller === undefined) {
      throw new Refusal("UnrecognizedClientException", "The security token included in the request is invalid.");
    }
    note.principal = caller.arn;
    note.accessKeyId = caller.accessKeyId;
    return caller;
  }
}
