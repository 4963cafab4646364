import { setTimeout as wait } from "node:timers/promises";
import type { CallLog } from "./call-log.js";
import { CallNote } from "./call-record.js";
import type { Clock } from "./clock.js";
import type { Fault, Faults } from "./faults.js";
import { textResponse, type WireRequest, type WireResponse } from "./http/wire.js";
import { throttled } from "./kms/quotas.js";
import type { RandomSource } from "./random.js";
import { isRefusal, Refusal } from "./refusal.js";
import type { Router, Service } from "./router.js";

export interface FrontDoorParts {
  readonly router: Router;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: CallLog;
  readonly faults: Faults;
  /** Milliseconds every answer waits. */
  readonly latency: () => number;
  /** Who an access key id belongs to, before any signature is checked: faults are aimed by it. */
  readonly principalsOf: (accessKeyId: string) => readonly string[];
}

/** Where every request comes in, whatever the transport: serves it, lets the script of faults at it, writes it down. */
export class FrontDoor {
  readonly #parts: FrontDoorParts;

  constructor(parts: FrontDoorParts) {
    this.#parts = parts;
  }

  async handle(request: WireRequest): Promise<WireResponse> {
    const { clock, random, log, router } = this.#parts;
    const note = new CallNote(random.uuid());
    const service = router.route(request, note);
    const fault = service === undefined ? undefined : this.#fault(request, note);
    const delay = this.#parts.latency() + (fault?.kind === "latency" ? fault.ms : 0);
    if (delay > 0) await wait(delay);
    const answered = service === undefined ? notServed(note) : await this.#serve(service, request, note, fault);
    const offset = fault?.kind === "date" ? fault.offsetMs : 0;
    const date = new Date(clock.now() + offset).toUTCString();
    const response: WireResponse = { ...answered, headers: { ...answered.headers, date } };
    if (response.status >= 400) note.errorCode ??= `HTTP ${response.status}`;
    const silent = response.mishap?.kind === "reset" || response.mishap?.kind === "hang";
    log.add(note.finish(log.nextSequence, clock.now(), silent ? 0 : response.status));
    return response;
  }

  #fault(request: WireRequest, note: CallNote): Fault | undefined {
    const accessKeyId = /Credential=([^/,\s]+)/.exec(request.headers.get("authorization") ?? "")?.[1];
    const principals = accessKeyId === undefined ? [] : this.#parts.principalsOf(accessKeyId);
    const fault = this.#parts.faults.take({ operation: note.operation, principals });
    note.fault = fault?.kind;
    return fault;
  }

  async #serve(
    service: Service,
    request: WireRequest,
    note: CallNote,
    fault: Fault | undefined,
  ): Promise<WireResponse> {
    switch (fault?.kind) {
      case "throttle":
        return refused(service, throttled(true), note);
      case "error": {
        if (fault.applies) await answer(service, request, note);
        const { code = "KMSInternalException", status = 500 } = fault;
        return refused(service, new Refusal(code, "An injected fault.", status), note);
      }
      case "reset":
      case "hang": {
        const response = fault.applies ? await answer(service, request, note) : textResponse(500, "text/plain", "");
        return { ...response, mishap: { kind: fault.kind } };
      }
      case "truncate": {
        const response = await answer(service, request, note);
        return { ...response, mishap: { kind: "truncate", bytes: fault.bytes ?? response.body.length >> 1 } };
      }
      default:
        return answer(service, request, note);
    }
  }
}

function refused(service: Service, refusal: Refusal, note: CallNote): WireResponse {
  note.errorCode = refusal.code;
  note.errorMessage = refusal.message;
  return service.refuse(refusal, note);
}

async function answer(service: Service, request: WireRequest, note: CallNote): Promise<WireResponse> {
  try {
    return await service.serve(request, note);
  } catch (error) {
    if (isRefusal(error)) return refused(service, error, note);
    const response = refused(
      service,
      new Refusal("KMSInternalException", "The emulator failed to serve this request.", 500),
      note,
    );
    note.errorMessage = `the emulator failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    return response;
  }
}

function notServed(note: CallNote): WireResponse {
  note.errorCode = "UnknownOperationException";
  return textResponse(404, "text/plain", "This endpoint plays AWS KMS, IAM and STS; nothing is served at this path.\n");
}
