import type { CallNote } from "../call-record.js";
import type { WireRequest, WireResponse } from "../http/wire.js";
import { jsonResponse } from "../http/wire.js";
import type { Caller } from "../iam/caller.js";
import type { Directory } from "../iam/directory.js";
import type { Place } from "../place.js";
import type { RandomSource } from "../random.js";
import { Refusal } from "../refusal.js";
import { KmsCall, type Propagation } from "./call.js";
import { unbuiltOperations } from "./input-shapes.js";
import type { KeySpec } from "./key-spec.js";
import type { KeyStore } from "./key-store.js";
import { changesState, isBuilt, runOperation } from "./operation-table.js";
import type { Quotas } from "./quotas.js";

const targetPrefix = "TrentService.";

/** The operation an `X-Amz-Target` names; undefined when it is not one of KMS. */
export function kmsOperation(request: WireRequest): string | undefined {
  const target = request.headers.get("x-amz-target");
  return target?.startsWith(targetPrefix) ? target.slice(targetPrefix.length) : undefined;
}

export interface KmsServiceParts {
  readonly store: KeyStore;
  readonly directory: Directory;
  readonly place: Place;
  readonly random: RandomSource;
  readonly propagation: Propagation;
  readonly quotas: Quotas;
  readonly unoffered: ReadonlySet<KeySpec>;
  readonly authenticate: (request: WireRequest) => Caller;
  readonly now: () => number;
  /** Called after an operation that changed something, before its answer leaves. */
  readonly changed: () => Promise<void> | undefined;
}

function headersFor(note: CallNote): Record<string, string> {
  return {
    "content-type": "application/x-amz-json-1.1",
    "x-amzn-requestid": note.requestId,
    "cache-control": "no-cache, no-store, must-revalidate, private",
    pragma: "no-cache",
    expires: "0",
  };
}

/** `AccessDeniedException` and the front end write `Message`, the modelled errors `message`. */
const capitalMessage: ReadonlySet<string> = new Set([
  "AccessDeniedException",
  "MissingAuthenticationTokenException",
  "IncompleteSignatureException",
  "SerializationException",
]);

export function kmsErrorResponse(refusal: Refusal, note: CallNote): WireResponse {
  const { code, message } = refusal;
  const body = message === undefined ? {} : { [capitalMessage.has(code) ? "Message" : "message"]: message };
  return jsonResponse(refusal.status, { __type: code, ...body }, headersFor(note));
}

/** AWS KMS on the JSON 1.1 protocol. Refusals are thrown. */
export async function kmsService(request: WireRequest, note: CallNote, parts: KmsServiceParts): Promise<WireResponse> {
  const operation = note.operation;
  const built = isBuilt(operation);
  const modelled = built || (unbuiltOperations as readonly string[]).includes(operation);
  if (!modelled || request.method !== "POST" || request.path !== "/") throw new Refusal("UnknownOperationException");
  const caller = parts.authenticate(request);
  note.principal = caller.arn;
  if (!built) throw new Refusal("UnsupportedOperationException", `${operation} is not built in this emulator.`);
  const now = parts.now();
  parts.store.sweep(now);
  const facts = {
    now,
    region: parts.place.region,
    sourceIp: request.remoteAddress,
    userAgent: request.headers.get("user-agent"),
    referer: request.headers.get("referer"),
    resourceAccount: parts.place.account,
  };
  const { store, directory, place, random, propagation, quotas, unoffered } = parts;
  const output = await runOperation(
    operation,
    request.body,
    new KmsCall({ caller, facts, store, directory, place, random, propagation, quotas, unoffered, note }),
  );
  if (changesState(operation)) await parts.changed();
  return jsonResponse(200, output, headersFor(note));
}
