import type { CallNote } from "../call-record.js";
import type { WireRequest, WireResponse } from "../http/wire.js";
import type { Directory } from "../iam/directory.js";
import type { Place } from "../place.js";
import type { RandomSource } from "../random.js";
import type { ServiceSession } from "./service-session.js";

export interface SourceParts {
  readonly directory: Directory;
  readonly place: Place;
  readonly random: RandomSource;
  readonly sessions: ServiceSession;
  readonly now: () => number;
}

/** One of the places where SDKs look for credentials. Undefined when a request is not for it. */
export type CredentialSource = (request: WireRequest, note: CallNote) => WireResponse | undefined;

const json = { "content-type": "application/json" };

export function jsonDocument(status: number, value: unknown): WireResponse {
  return { status, headers: json, body: new TextEncoder().encode(JSON.stringify(value)) };
}

export function isoSeconds(time: number): string {
  return new Date(time).toISOString().replace(/\.\d{3}Z$/, "Z");
}
