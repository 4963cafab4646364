import type { CallNote } from "../call-record.js";
import type { WireRequest, WireResponse } from "../http/wire.js";
import { textResponse } from "../http/wire.js";
import { Refusal } from "../refusal.js";
import { decodeValues, type Input, type InputShape } from "../shape.js";
import { type XmlValue, xmlElement } from "./xml.js";

/** The two services of this emulator that speak the AWS Query protocol, by the `Version` parameter. */
const queryServices = {
  "2010-05-08": { name: "iam", namespace: "https://iam.amazonaws.com/doc/2010-05-08/" },
  "2011-06-15": { name: "sts", namespace: "https://sts.amazonaws.com/doc/2011-06-15/" },
} as const;
export type QueryServiceName = (typeof queryServices)[keyof typeof queryServices]["name"];

export type QueryParameters = ReadonlyMap<string, string>;

/** The parameters of a form body; undefined when the request is not one of the Query protocol. */
export function queryParameters(request: WireRequest): QueryParameters | undefined {
  if (request.method !== "POST" || request.path !== "/") return undefined;
  if (!request.headers.get("content-type")?.startsWith("application/x-www-form-urlencoded")) return undefined;
  return new Map(new URLSearchParams(Buffer.from(request.body).toString("utf8")));
}

export function queryService(parameters: QueryParameters): QueryServiceName | undefined {
  const version = parameters.get("Version") ?? "";
  return Object.entries(queryServices).find(([known]) => known === version)?.[1].name;
}

/**
 * Reads the parameters of an action; numbers and booleans come as text.
 *
 * A parameter that is not built is an error: a session without its `PolicyArns`, or a role without its `PermissionsBoundary`,
 * could do more than the caller asked for.
 */
export function queryInput<I extends InputShape>(parameters: QueryParameters, shape: I): Input<I> {
  for (const name of parameters.keys()) {
    if (name !== "Action" && name !== "Version" && !Object.hasOwn(shape, name)) {
      throw new Refusal("UnsupportedParameter", `${name.slice(0, 128)} is not built in this emulator.`);
    }
  }
  const found = new Map<string, unknown>();
  for (const [name, { type }] of Object.entries(shape)) {
    const text = parameters.get(name);
    if (text === undefined) continue;
    if (type === "integer") found.set(name, integer(name, text));
    else found.set(name, text);
  }
  return decodeValues(found, shape, "ValidationError");
}

function integer(name: string, text: string): number {
  if (!/^-?\d{1,9}$/.test(text)) throw new Refusal("MalformedInput", `${name}: ${text.slice(0, 40)} is not an integer`);
  return Number(text);
}

function namespaceOf(service: QueryServiceName): string {
  return Object.values(queryServices).find(({ name }) => name === service)?.namespace ?? "";
}

function xml(status: number, text: string, note: CallNote): WireResponse {
  const response = textResponse(status, "text/xml", text);
  return { ...response, headers: { ...response.headers, "x-amzn-requestid": note.requestId } };
}

/** An undefined result is an action without one. */
export function queryResponse(
  service: QueryServiceName,
  action: string,
  result: XmlValue,
  note: CallNote,
): WireResponse {
  const body: XmlValue = {
    ...(result !== undefined && { [`${action}Result`]: result }),
    ResponseMetadata: { RequestId: note.requestId },
  };
  return xml(200, xmlElement(`${action}Response`, body, ` xmlns="${namespaceOf(service)}"`), note);
}

/** What the shared checks call a failure in JSON services, and what Query services call it. */
const renamed: Readonly<Record<string, readonly [code: string, status: number]>> = {
  MissingAuthenticationTokenException: ["MissingAuthenticationToken", 403],
  IncompleteSignatureException: ["IncompleteSignature", 403],
  UnrecognizedClientException: ["InvalidClientTokenId", 403],
  InvalidSignatureException: ["SignatureDoesNotMatch", 403],
  ExpiredTokenException: ["ExpiredToken", 403],
  AccessDeniedException: ["AccessDenied", 403],
  ThrottlingException: ["Throttling", 400],
};

/** The names a refusal has on the Query protocol. */
export function queryRefusal(refusal: Refusal): Refusal {
  const [code, status] = renamed[refusal.code] ?? [refusal.code, refusal.status];
  return new Refusal(code, refusal.message, status);
}

export function queryErrorResponse(service: QueryServiceName, refusal: Refusal, note: CallNote): WireResponse {
  const type = refusal.status >= 500 ? "Receiver" : "Sender";
  const body: XmlValue = {
    Error: { Type: type, Code: refusal.code, Message: refusal.message ?? "" },
    RequestId: note.requestId,
  };
  return xml(refusal.status, xmlElement("ErrorResponse", body, ` xmlns="${namespaceOf(service)}"`), note);
}
