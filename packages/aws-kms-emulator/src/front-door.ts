import type { CallLog } from "./call-log.js";
import { CallNote, type CallRecord } from "./call-record.js";
import type { Clock } from "./clock.js";
import { textResponse, type WireRequest, type WireResponse } from "./http/wire.js";
import { type Caller, callerOf } from "./iam/caller.js";
import type { AccessKeyRecord, Directory } from "./iam/directory.js";
import type { Propagation } from "./kms/call.js";
import type { KeyStore } from "./kms/key-store.js";
import { kmsErrorResponse, kmsOperation, kmsService } from "./kms/service.js";
import type { Place } from "./place.js";
import type { RandomSource } from "./random.js";
import { isRefusal, Refusal } from "./refusal.js";
import { Authenticator } from "./sigv4/authenticate.js";

export interface FrontDoorParts {
  readonly place: Place;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly directory: Directory;
  readonly store: KeyStore;
  readonly propagation: Propagation;
  readonly log: CallLog;
  readonly changed: () => Promise<void> | undefined;
}

/** Where every request comes in, whatever the transport: finds the service, serves it, writes the call down. */
export class FrontDoor {
  readonly #parts: FrontDoorParts;
  readonly #authenticator = new Authenticator<AccessKeyRecord>();

  constructor(parts: FrontDoorParts) {
    this.#parts = parts;
  }

  async handle(request: WireRequest): Promise<WireResponse> {
    const { clock, random, log } = this.#parts;
    const note = new CallNote(random.uuid());
    const response = await this.#serve(request, note);
    const dated = { ...response, headers: { ...response.headers, date: new Date(clock.now()).toUTCString() } };
    log.add(note.finish(log.nextSequence, clock.now(), response.status));
    return dated;
  }

  async #serve(request: WireRequest, note: CallNote): Promise<WireResponse> {
    const operation = kmsOperation(request);
    if (operation === undefined) {
      note.operation = request.headers.get("x-amz-target") ?? `${request.method} ${request.path}`;
      note.errorCode = "UnknownOperationException";
      if (request.headers.get("content-type")?.startsWith("application/x-amz-json")) {
        return kmsErrorResponse(new Refusal("UnknownOperationException"), note);
      }
      return textResponse(404, "text/plain", "This endpoint plays AWS KMS; nothing is served at this path.\n");
    }
    note.service = "kms";
    note.operation = operation;
    const { store, place, random, propagation, clock, changed } = this.#parts;
    try {
      return await kmsService(request, note, {
        store,
        place,
        random,
        propagation,
        changed,
        now: () => clock.now(),
        authenticate: (r) => this.#authenticate(r, note, "kms", [place.region]),
      });
    } catch (error) {
      return kmsErrorResponse(this.#refused(error, note), note);
    }
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

  #refused(error: unknown, note: CallNote): Refusal {
    const refusal = isRefusal(error)
      ? error
      : new Refusal("KMSInternalException", "The emulator failed to serve this request.", 500);
    note.errorCode = refusal.code;
    note.errorMessage = isRefusal(error) ? refusal.message : String(error);
    return refusal;
  }
}

export type { CallRecord };
